import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { waitingProgram } from "../e2e/support/printingProgram";
import { until } from "./support/until";

/** Each stage waits by itself, so that one build alone would take every place a builder has for steps. */
const stages = ["one", "two", "three", "four"];
const endless = [
  ...stages.flatMap((name) => [
    `FROM scratch AS ${name}\nARG TARGETARCH\nCOPY --chmod=755 wait/\${TARGETARCH} /bin/endless`,
    `RUN ["/bin/endless", "${name}"]`,
  ]),
  "FROM scratch",
  ...stages.map((name) => `COPY --from=${name} /bin/endless /bin/${name}`),
].join("\n");

const files = {
  "wait/amd64": { content: waitingProgram("linux/amd64"), mode: "100755" as const },
  "wait/arm64": { content: waitingProgram("linux/arm64"), mode: "100755" as const },
};

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      const releases = ["1.0.0", "2.0.0"].map((version) => ({ version, dockerfile: endless, files }));
      await tinyUpstream(sandbox, "endless", releases);
      await tinyUpstream(sandbox, "good", [{ version: "1.0.0" }, { version: "2.0.0" }]);
      return { endless: tinyAppFile(sandbox, "endless"), good: tinyAppFile(sandbox, "good") };
    },
    settings: { apps: { endless: { buildLimit: "45s" }, good: null } },
  });
});

afterAll(() => mirror?.stop());

it("F33 builds that never end fail when their time is over, and the other app is published before that", async () => {
  const running = mirror.start("up", { args: ["--parallel", "4"] });
  let ended = false;
  void running.ended.then(() => (ended = true));
  await until("the builds wait", () => waiting().length > 0);
  const first = waiting();
  await until("good is published", async () => (await mirror.registry.tags("good")).includes("latest"));
  expect(ended).toBe(false);
  // None of them has been ended for that.
  const still = waiting();
  expect(first.filter((process) => !still.includes(process))).toEqual([]);
  const run = await running.ended;
  expect(run.exitCode).not.toBe(0);
  for (const version of ["1.0.0", "2.0.0"])
    expect(errorsOf(run)).toMatch(
      new RegExp(
        `^endless: ${version.replaceAll(".", "\\.")}: the build for linux/amd64, linux/arm64 took longer than 45s, the most it may \\(buildLimit\\)$`,
        "m",
      ),
    );
  expect(run.outputs.missing).toEqual(["endless 2.0.0", "endless 1.0.0"]);
  expect(await mirror.registry.tags("good")).toEqual(["1.0.0", "2.0.0", "latest"]);
  await until("the builder is free", () => waiting().length === 0);
});

/** The programs that wait, wherever they run. */
function waiting(): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes("/bin/endless\0");
    } catch {
      return false;
    }
  });
}
