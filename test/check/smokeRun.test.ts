import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkImage } from "../../components/check/checkImage";
import { runSmoke, type SmokeCommand, type SmokeRequest } from "../../components/check/smokeRun";
import {
  configuration,
  imageDigest,
  inspectIn,
  layer,
  MemoryRegistry,
  program,
  refusal,
  repository,
} from "./memoryImage";

/** What the stand-in for buildx does: answers `version`, records how it was called, prints and ends. */
const script = `#!${process.execPath}
const fs = require("node:fs");
const plan = JSON.parse(fs.readFileSync(__dirname + "/plan.json", "utf8"));
const argv = process.argv.slice(2);
const words = plan.plugin && require("node:path").basename(__filename) === "docker" ? argv.slice(1) : argv;
if (words[0] === "version") process.exit(plan.answers === false ? 1 : 0);
const context = argv.at(-1);
const call = { argv, file: fs.readFileSync(0, "utf8"), context: fs.readdirSync(context), pid: process.pid, marker: process.env.MARKER };
if (plan.hang) {
  const child = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM',()=>{});setInterval(()=>{},1e3)"], { stdio: "ignore" });
  call.child = child.pid;
  setInterval(() => {}, 1000);
}
fs.writeFileSync(__dirname + "/call.json", JSON.stringify(call));
process.stderr.write(plan.lines.map((line) => line + "\\n").join(""));
if (plan.later) setTimeout(() => process.stderr.write(plan.later.map((line) => line + "\\n").join("")), plan.after);
process.exitCode = plan.code ?? 0;
`;

const from = { digest: "sha256:86", name: `[1/2] FROM ${repository}@${imageDigest}`, started: "t" };
const run = { digest: "sha256:dd", name: '[2/2] RUN --network=none ["/app/server","version"]', started: "t" };
const log = (text: string, stream = 1, vertex = run.digest): string =>
  JSON.stringify({ logs: [{ vertex, stream, data: Buffer.from(text).toString("base64"), timestamp: "t" }] });
const step = (...vertexes: object[]): string => JSON.stringify({ vertexes });
const announced = step({ digest: run.digest, name: run.name }, { ...from, started: undefined });
const begun = [announced, step(from), step({ ...from, completed: "t" }), step(run)];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "smoke-test-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function install(plan: object, name = "buildx"): Promise<NodeJS.ProcessEnv> {
  await writeFile(join(folder, "plan.json"), JSON.stringify({ lines: [], ...plan }));
  await writeFile(join(folder, name), script);
  await chmod(join(folder, name), 0o755);
  return { PATH: folder, MARKER: "given" };
}

async function call(): Promise<{
  argv: string[];
  file: string;
  context: string[];
  pid: number;
  child: number;
  marker: string;
}> {
  return JSON.parse(await readFile(join(folder, "call.json"), "utf8")) as Awaited<ReturnType<typeof call>>;
}

const smoke: SmokeCommand = { command: ["/app/server", "version"], expect: /^Version: 1\.2\.3$/m };
const request = (environment: NodeJS.ProcessEnv, changes: Partial<SmokeRequest> = {}): SmokeRequest => ({
  ...{ repository, digest: imageDigest, platform: "linux/arm64", smoke, builder: "mirror", environment },
  ...changes,
});

describe("a smoke command", () => {
  it("passes when its output matches, and reports the beginning of the output", async () => {
    const environment = await install({ lines: [...begun, log("Version: "), log("warning\n", 2), log("1.2.3\n")] });
    const result = await runSmoke(request(environment));
    expect(result.output).toBe("Version: 1.2.3\nwarning\n");
    const long = await install({ lines: [...begun, log("Version: 1.2.3\n"), log("x".repeat(5000))] });
    expect((await runSmoke(request(long))).output).toHaveLength(2000);
  });

  it("may answer on standard error", async () => {
    const environment = await install({ lines: [...begun, log("hello"), log("Version: 1.2.3", 2)] });
    await expect(runSmoke(request(environment))).resolves.toBeDefined();
  });

  it("is run by the builder and platform asked for, without network, cache, context or push", async () => {
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")] });
    await runSmoke(request(environment));
    const { argv, file, context, marker } = await call();
    expect(argv.slice(0, -1).join(" ")).toBe(
      "build --builder mirror --platform linux/arm64 --progress rawjson --no-cache --network none " +
        "--provenance=false --sbom=false --output type=cacheonly --file -",
    );
    expect(file).toBe(`FROM ${repository}@${imageDigest}\nRUN --network=none ["/app/server","version"]\n`);
    expect([context, marker]).toEqual([[], "given"]);
    expect(existsSync(argv.at(-1) ?? "")).toBe(false);
  });

  it("is told from other steps' output and from other steps", async () => {
    const other = { digest: "sha256:ee", name: "[1/2] RUN set-up", started: "t" };
    const environment = await install({
      lines: [...begun, step(other), log("Version: 1.2.3\n", 1, other.digest), log("no\n")],
    });
    expect(await refusal(runSmoke(request(environment)))).toContain(
      'printed "no\\n"; expected is a match of /^Version: 1',
    );
  });

  it("is given up where the expected would not end on an output made for it", async () => {
    const environment = await install({ lines: [...begun, log(`${"1".repeat(200)}x\n`)] });
    const expectation = { ...smoke, expect: /^((?:\d+\.?)+)$/ };
    expect(await refusal(runSmoke(request(environment, { smoke: expectation })))).toMatch(
      /on what the smoke command printed took longer than 5 s, the most it may/,
    );
  });

  it("is recognised in the step names of several platforms", async () => {
    const named = { ...run, name: run.name.replace("[2/2]", "[linux/arm64 2/2]") };
    const environment = await install({ lines: [step(named), log("Version: 1.2.3\n")] });
    await expect(runSmoke(request(environment))).resolves.toBeDefined();
  });

  it("matches the same every time, also with a global expression", async () => {
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")] });
    const expectation = { ...smoke, expect: /Version/g };
    await runSmoke(request(environment, { smoke: expectation }));
    await expect(runSmoke(request(environment, { smoke: expectation }))).resolves.toBeDefined();
  });

  it("quotes output harmless and at most 500 characters of it", async () => {
    const environment = await install({ lines: [...begun, log(`\n::error::x\n${"y".repeat(900)}`)] });
    const message = await refusal(runSmoke(request(environment)));
    expect(message.split("\n")).toHaveLength(1);
    expect(message).not.toContain("::");
    expect(message).toContain(`${"y".repeat(488)}"... (912 characters)`);
  });

  it("is refused with exit code and output when it fails", async () => {
    const error = 'process "/app/server version" did not complete successfully: exit code: 3';
    const lines = [
      ...begun,
      log("no database\n"),
      step({ ...run, error }),
      "Dockerfile:2",
      `ERROR: failed to build: ${error}`,
    ];
    const message = await refusal(runSmoke(request(await install({ lines, code: 1 }))));
    expect(message).toContain('smoke command ["/app/server","version"] failed: ');
    expect(message).toContain("exit code: 3");
    expect(message).toContain('it printed "no database\\n"');
  });

  it("is refused with a hint when the builder cannot run the platform", async () => {
    const lines = [
      ...begun,
      log("exec /app/server: exec format error\n", 2),
      step({ ...run, error: "exit code: 255" }),
    ];
    const message = await refusal(runSmoke(request(await install({ lines, code: 1 }))));
    expect(message).toContain("the builder runs linux/arm64 neither itself nor by emulation");
  });

  it("is refused with the client's reason when the build does not get that far", async () => {
    const lines = [announced, 'ERROR: no builder "mirror" found'];
    const message = await refusal(runSmoke(request(await install({ lines, code: 1 }))));
    expect(message).toContain('could not be run on builder "mirror": "ERROR: no builder \\"mirror\\" found"');
  });

  it("is refused when the build succeeds without running it", async () => {
    const message = await refusal(runSmoke(request(await install({ lines: [announced, "{", '{"logs":7}', "null"] }))));
    expect(message).toContain("was not run");
  });

  it("is ended with all its processes when it takes too long", async () => {
    const environment = await install({ lines: [...begun, log("starting\n")], hang: true });
    // The child ignores the polite signal, so only the second one ends it.
    const limited = { ...smoke, limitMs: 1500 };
    const message = await refusal(runSmoke(request(environment, { smoke: limited })));
    expect(message).toContain(
      'did not finish within 1.5 s of its start (smoke.limitSeconds); it printed "starting\\n"',
    );
    const { pid, child } = await call();
    for (const ended of [pid, child]) await expect.poll(() => isAlive(ended)).toBe(false);
  });
});

describe("the limit of a smoke command", () => {
  it("counts from its start, not while the builder is busy with other builds", async () => {
    const environment = await install({ lines: [announced], later: [step(run), log("Version: 1.2.3\n")], after: 1500 });
    await runSmoke(request(environment, { smoke: { ...smoke, limitMs: 1000 } }));
  });

  it("says which it was when the builder does not come to it", async () => {
    const environment = await install({ lines: [announced], hang: true });
    expect(await refusal(runSmoke(request(environment, { queueLimitMs: 500 })))).toContain(
      'was not begun within 0.5 s: builder "mirror" was busy, or hangs',
    );
  });
});

describe("the build client", () => {
  it("is Docker's plugin where there is one", async () => {
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")], plugin: true }, "docker");
    await runSmoke(request(environment));
    expect((await call()).argv.slice(0, 2)).toEqual(["buildx", "build"]);
  });

  it("is buildx alone where docker has no plugin", async () => {
    const docker = join(folder, "docker-folder");
    await mkdir(docker);
    await writeFile(join(docker, "docker"), script);
    await chmod(join(docker, "docker"), 0o755);
    await writeFile(join(docker, "plan.json"), JSON.stringify({ plugin: true, answers: false }));
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")] });
    await runSmoke(request({ ...environment, PATH: `${docker}${delimiter}${folder}` }));
    expect((await call()).argv[0]).toBe("build");
  });

  it("is named when there is none, and looked for again the next time", async () => {
    const message = await refusal(runSmoke(request({ PATH: folder })));
    expect(message).toContain('neither "docker buildx" nor "buildx" answers on PATH');
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")] });
    await expect(runSmoke(request({ PATH: environment["PATH"] }))).resolves.toBeDefined();
  });
});

describe("the smoke command within a check", () => {
  it("is reported, and is not run when something else is wrong", async () => {
    const environment = await install({ lines: [...begun, log("Version: 1.2.3\n")] });
    const check = async (built: "linux/arm64" | "linux/amd64"): ReturnType<typeof checkImage> => {
      const registry = new MemoryRegistry([await layer(program("app/server", built))], configuration());
      return checkImage({ ...request(environment), smoke, inspect: inspectIn(registry) });
    };
    expect(await refusal(check("linux/amd64"))).not.toContain("smoke");
    expect(existsSync(join(folder, "call.json"))).toBe(false);
    expect((await check("linux/arm64")).smoke?.output).toBe("Version: 1.2.3\n");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
