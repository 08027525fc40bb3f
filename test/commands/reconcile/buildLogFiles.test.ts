import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BuildLogFiles } from "../../../commands/reconcile/buildLogFiles";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "build-logs-"));
  await symlink("/dev/full", join(folder, "app-1.0.0-linux-arm64.log"));
});
afterAll(() => rm(folder, { recursive: true }));

it("goes on when the log of one build finds no space, and says once which is not whole", async () => {
  const warnings: string[] = [];
  const logs = new BuildLogFiles(folder, (text) => warnings.push(text));
  for (let line = 0; line < 3; line++) {
    for (const platform of ["amd64", "arm64"]) {
      const name = `app-1.0.0-linux-${platform}`;
      logs.observe({ kind: "output", type: "docker-build:index:Image", name, text: `line ${line}` });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await logs.end();
  expect(warnings).toEqual([
    `--logs: ${JSON.stringify(join(folder, "app-1.0.0-linux-arm64.log"))} is not whole: ENOSPC: no space left on device, write`,
  ]);
  expect(await readFile(join(folder, "app-1.0.0-linux-amd64.log"), "utf8")).toBe("line 0\nline 1\nline 2\n");
});
