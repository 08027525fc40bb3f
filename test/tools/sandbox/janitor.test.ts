import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { startJanitor } from "../../../tools/sandbox/janitor";

it.runIf(process.platform === "linux")("ends the builders of its own sandbox that outlived their parent", async () => {
  const groups = ["/mirror-sandbox-test-mine", "/mirror-sandbox-test-other"] as const;
  const [mine, other] = groups.map((group) =>
    spawn("sleep", ["60"], { stdio: "ignore", env: { PATH: process.env["PATH"], MIRROR_BUILDER_IN: group } }),
  );
  const ended = once(mine!, "exit");
  try {
    await startJanitor({ registrations: [], controlGroup: groups[0] })();
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect([other?.exitCode, other?.signalCode]).toEqual([null, null]);
  } finally {
    mine?.kill("SIGKILL");
    other?.kill("SIGKILL");
  }
});
