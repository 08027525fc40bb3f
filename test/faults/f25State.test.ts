import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { unpublishedTag } from "../../components/registry/unpublishedIndex";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf } from "../e2e/support/pulumiRun";
import { tinyApp, tinyDockerfile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { Watch } from "./support/watch";

const diskMegabytes = 96;

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: { builderDiskMegabytes: diskMegabytes },
    apps: tinyApp("1.0.0"),
  });
  expect((await mirror.up()).exitCode).toBe(0);
});

afterAll(() => mirror?.stop());

it("F25 an older state, a lost one and a truncated one leave the registry as it is, and the run converges or says what to do", async () => {
  const older = join(mirror.sandbox.folder, "older.json");
  writeFileSync(older, await mirror.pulumi("stack", "export"));
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  expect((await mirror.up()).exitCode).toBe(0);
  const watch = await Watch.begin(mirror);
  mirror.mark();

  await mirror.pulumi("stack", "import", "--file", older);
  const outdated = await mirror.up();
  expect(errorsOf(outdated)).toBe("");
  expect(changesOf(outdated)).toEqual([]);

  const file = join(stacks(), "test.json");
  truncateSync(file, Math.floor(statSync(file).size / 2));
  const truncated = mirror.start("up");
  let output = "";
  truncated.child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  truncated.child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await truncated.ended.catch(() => undefined);
  await mirror.loseState();
  expect(truncated.child.exitCode).not.toBe(0);
  expect(output).toMatch(/failed to load checkpoint/);
  expect(mirror.writes()).toEqual([]);

  const lost = await mirror.up();
  expect(errorsOf(lost)).toBe("");
  expect(changesOf(lost)).toEqual([]);
  expect(Object.keys(lost.outputs.published?.["tiny"]?.versions ?? {}).toSorted()).toEqual(["1.0.0", "1.1.0"]);
  expect(mirror.writes()).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});

it("F25 a lock of somebody else stops the run before any request, names its holder and the way out", async () => {
  const watch = await Watch.begin(mirror);
  const locks = join(mirror.sandbox.folder, "pulumi", ".pulumi", "locks", "organization", "multiarch-mirror", "test");
  mkdirSync(locks, { recursive: true });
  const lock = { pid: 4711, username: "somebody", hostname: "elsewhere", timestamp: "2026-01-01T00:00:00Z" };
  writeFileSync(join(locks, "11111111-2222-3333-4444-555555555555.json"), JSON.stringify(lock));
  mirror.mark();
  // A look needs no lock, and there is nothing to do.
  const locked = await mirror.up({ through: "pulumi" });
  expect(locked.exitCode).not.toBe(0);
  expect(locked.output).toMatch(/locked by 1 lock/);
  expect(locked.output).toMatch(/somebody@elsewhere \(pid 4711\)/);
  expect(locked.output).toMatch(/pulumi cancel/);
  expect(mirror.registryLog()).toEqual([]);
  rmSync(locks, { recursive: true });
  expect((await mirror.up()).exitCode).toBe(0);
  expect(await watch.damage()).toEqual([]);
});

it("F25 a full disk on the builder fails the version and leaves no tag, and the next run converges", async () => {
  const url = mirror.sandbox.putFile("large.bin", Buffer.alloc((diskMegabytes + 32) * 1024 * 1024, 7));
  await tinyUpstream(mirror.sandbox, "tiny", [
    { version: "1.2.0", dockerfile: `${tinyDockerfile}ADD ${url} /large.bin\n` },
  ]);
  const watch = await Watch.begin(mirror);
  const full = await mirror.up();
  expect(full.exitCode).not.toBe(0);
  expect(full.output).toMatch(/no space left on device/);
  expect(errorsOf(full)).toMatch(/tiny: 1\.2\.0: /);
  expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
  mirror.sandbox.putFile("large.bin", "small");
  // A builder whose disk is full cannot even prune it; the next run's has a disk of its own.
  await mirror.sandbox.stopBuilder("mirror");
  await mirror.sandbox.startBuilder("mirror");
  const next = await mirror.up();
  expect(errorsOf(next)).toBe("");
  expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "1.2.0", "latest"]);
  await mirror.registry.pull("tiny", "1.2.0");
  expect(await watch.damage()).toEqual([]);
});

it("another namespace with the same state is filled, and the first stays as it is and is found again", async () => {
  const watch = await Watch.begin(mirror);
  mirror.configure({ namespace: "second", keep: 1 });
  const second = await mirror.up();
  expect(errorsOf(second), second.output).toBe("");
  const name = mirror.registry.name("tiny").replace("/mirror/", "/second/");
  const tags = await mirror.registry.regctl("tag", "ls", name);
  expect(tags.split("\n").toSorted()).toEqual(["1.2.0", unpublishedTag, "latest"]);
  expect(await watch.damage()).toEqual([]);
  mirror.configure({ namespace: "mirror", keep: 3 });
  mirror.mark();
  const back = await mirror.up();
  expect(errorsOf(back), back.output).toBe("");
  expect(mirror.writes()).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});

it("a registry that answers 200 with an error page is unknown: nothing is built, the run fails and says so", async () => {
  const watch = await Watch.begin(mirror);
  mirror.mark();
  mirror.sandbox.setRules([
    {
      ...{ part: "registry", method: "GET|HEAD", path: "/manifests/", status: 200 },
      ...{ headers: { "Content-Type": "text/html" }, body: "<html>Please log in</html>" },
    },
  ]);
  const up = await mirror.up();
  mirror.sandbox.clearRules();
  expect(up.exitCode).not.toBe(0);
  expect(errorsOf(up)).toMatch(/^tiny: 1\.2\.0: the registry gave no usable answer/m);
  expect(changesOf(up)).toEqual([]);
  expect(mirror.writes()).toEqual([]);
  expect(await watch.damage()).toEqual([]);
});

it("a slow registry and a clock that is years off change nothing", async () => {
  mirror.mark();
  mirror.sandbox.setLatency(300);
  const slow = await mirror.up();
  mirror.sandbox.setLatency(0);
  expect(errorsOf(slow)).toBe("");
  for (const years of [-15, 15]) {
    const up = await mirror.up({ environment: { NODE_OPTIONS: `--require ${clockOff(years)}` } });
    expect(errorsOf(up), `${years} years`).toBe("");
    expect(changesOf(up)).toEqual([]);
  }
  expect(mirror.writes()).toEqual([]);
});

/** A module that sets the clock of a Node program off. */
function clockOff(years: number): string {
  const file = join(mirror.sandbox.folder, `clock${years}.cjs`);
  writeFileSync(
    file,
    `const RealDate = Date;
const off = ${years * 365 * 86_400_000};
globalThis.Date = class extends RealDate {
  constructor(...given) { super(...(given.length > 0 ? given : [RealDate.now() + off])); }
  static now() { return RealDate.now() + off; }
};
`,
  );
  return file;
}

/** Folder of the backend's state files. */
function stacks(): string {
  const folder = join(mirror.sandbox.folder, "pulumi", ".pulumi", "stacks", "multiarch-mirror");
  expect(readdirSync(folder)).toContain("test.json");
  expect(readFileSync(join(folder, "test.json"), "utf8")).toContain(`"1.1.0"`);
  return folder;
}
