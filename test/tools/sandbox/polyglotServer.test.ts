import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkout } from "../../../components/engine/checkout";
import { runProcess } from "../../../components/system/process";

it("leaves nothing to wait for when it closes while a connection is being shut down", async () => {
  const folder = mkdtempSync(join(tmpdir(), "closing-"));
  try {
    const script = ["tools/run.cjs", "test/tools/sandbox/closingServer.ts", folder];
    const ended = await runProcess(process.execPath, script, { directory: checkout, limitMs: 60_000 });
    expect(ended).toMatchObject({ status: 0, stderr: "" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
