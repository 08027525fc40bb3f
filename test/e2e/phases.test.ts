import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { reconcileRun } from "./support/reconcileRun";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";

const execute = promisify(execFile);

interface DigestFile {
  readonly schemaVersion: number;
  readonly images: readonly Record<"app" | "version" | "platform" | "repository" | "digest" | "commit", string>[];
}

let folder: string;
let mirror: MirrorUnderTest;
const inFolder = (name: string): string => join(folder, name);
const reconcile = (...args: readonly string[]) => reconcileRun(mirror, args);
const read = async (path: string): Promise<DigestFile> => JSON.parse(await readFile(path, "utf8")) as DigestFile;

/** The platforms of every build of an upstream source a builder did, as BuildKit's own history says. */
async function builtBy(builder: string): Promise<readonly string[]> {
  const env = mirror.environment();
  const options = { env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await execute("buildx", ["history", "ls", "--builder", builder, "--format", "json"], options);
  const records = stdout
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { name: string; ref: string }]));
  const sources = records.filter(({ name }) => name.includes(".git"));
  const platforms: string[] = [];
  for (const { ref } of sources) {
    const args = ["history", "inspect", "--builder", builder, ref.split("/").at(-1)!, "--format", "json"];
    platforms.push(...(JSON.parse((await execute("buildx", args, options)).stdout) as { Platform: string[] }).Platform);
  }
  return platforms;
}

async function start(settings: Record<string, unknown>, upstream: Parameters<typeof tinyUpstream>[2]): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "phases-"));
  mirror = await MirrorUnderTest.start({
    sandbox: { builders: { amd: ["linux/amd64"], arm: ["linux/arm64"] } },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", upstream);
      return { tiny: tinyAppFile(sandbox, "tiny") };
    },
    settings: { keep: 2, builder: { "linux/amd64": "amd", "linux/arm64": "arm" }, ...settings },
  });
}

async function stop(): Promise<void> {
  await mirror.stop();
  await rm(folder, { recursive: true, force: true });
}

const hostileTag = "v9.9.9-<img/src=x>|`$(id)`";

describe("plan, build and publish as processes of their own", () => {
  beforeAll(() => start({}, [{ version: "1.0.0" }, { version: "1.1.0", tags: ["v1.1.0", hostileTag] }]));
  afterAll(stop);

  it("plans without touching anything, and says which jobs are needed", async () => {
    mirror.mark();
    const plan = await reconcile("--phase", "plan", "--result", inFolder("plan.json"));
    expect(plan.status).toBe(3);
    expect(mirror.writes()).toEqual([]);
    expect(plan.outputs).toMatchObject({ work: "true", missing: "2" });
    expect(JSON.parse(plan.outputs["jobs"]!)).toEqual([
      { name: "linux-amd64", platforms: "linux/amd64", runner: "ubuntu-24.04", emulated: "" },
      { name: "linux-arm64", platforms: "linux/arm64", runner: "ubuntu-24.04-arm", emulated: "" },
    ]);
  });

  it("plans builds for the platforms asked for only, though no version is complete with them", async () => {
    const plan = await reconcile("--phase", "plan", "--platforms", "linux/arm64", "--result", inFolder("plan.json"));
    expect([plan.status, plan.outputs["work"]]).toEqual([3, "true"]);
    expect(plan.outputs["jobs"]).toContain('"platforms":"linux/arm64"');
    expect(plan.outputs["jobs"]).not.toContain("linux/amd64");
  });

  it("names a hostile tag in its summary, harmlessly", async () => {
    const { summary, stdout } = await reconcile("--dry-run");
    expect(summary).toContain("9.9.9");
    expect(summary).not.toMatch(/<img|\$\(id\)`\W*\|/);
    expect(stdout).not.toMatch(/^\s*::/m);
  });

  it("builds each platform on its own builder, and tags nothing", async () => {
    for (const [platform, other] of [
      ["linux/amd64", "arm"],
      ["linux/arm64", "amd"],
    ] as const) {
      await mirror.sandbox.stopBuilder(other);
      const build = await reconcile("--phase", "build", "--platforms", platform, "--digests", inFolder("digests"));
      await mirror.sandbox.startBuilder(other);
      expect([build.status, build.stdout]).toEqual([0, expect.stringContaining("2 built")]);
    }
    expect(await mirror.registry.tags("tiny")).toEqual([]);
    expect((await readdir(inFolder("digests"))).toSorted()).toEqual([
      "builds-linux-amd64.ndjson",
      "builds-linux-arm64.ndjson",
      "digests-linux-amd64.json",
      "digests-linux-arm64.json",
    ]);
  });

  it.each([
    ["another architecture", "wanted is linux/amd64", ([one, two]: DigestFile[]) => [swapped(one!, two!), two!]],
    ["a digest nobody knows", "no such manifest", altered({ digest: `sha256:${"0".repeat(64)}` })],
    ["another repository", "is not the repository of this app", altered({ repository: "localhost/evil/tiny" })],
    ["another platform", "accepted is a platform", altered({ platform: "linux/s390x/../x" })],
    ["no digest", "64 lower-case hex digits", altered({ digest: "latest" })],
  ])("refuses digest files forged to name %s, and writes nothing", async (_, reason, forge) => {
    const forged = inFolder("forged");
    await cp(inFolder("digests"), forged, { recursive: true });
    const names = ["digests-linux-amd64.json", "digests-linux-arm64.json"];
    const files = forge(await Promise.all(names.map((name) => read(join(forged, name)))));
    for (const [position, name] of names.entries())
      await writeFile(join(forged, name), JSON.stringify(files[position]));
    mirror.mark();
    const publish = await reconcile("--phase", "publish", "--digests", forged);
    await rm(forged, { recursive: true });
    expect([1, 2]).toContain(publish.status);
    expect(publish.stdout).toContain(reason);
    expect(mirror.writes()).toEqual([]);
    expect(await mirror.registry.tags("tiny")).toEqual([]);
  });

  it("publishes no version without a platform it was not asked for, and does not call that a failure", async () => {
    const some = ["--digests", inFolder("digests"), "--platforms", "linux/arm64"];
    const publish = await reconcile("--phase", "publish", ...some, "--result", inFolder("publish.json"));
    expect([publish.status, publish.summary]).toEqual([0, expect.stringContaining("2 built")]);
    expect(await mirror.registry.tags("tiny")).toEqual([]);
    const result = JSON.parse(await readFile(inFolder("publish.json"), "utf8")) as object;
    expect(result).toMatchObject({ whole: false, versions: [{ complete: false }, { complete: false }] });
  });

  it("publishes exactly the images of the digest files, without any builder", async () => {
    await mirror.sandbox.stopBuilder("amd");
    await mirror.sandbox.stopBuilder("arm");
    const publish = await reconcile("--phase", "publish", "--digests", inFolder("digests"));
    await mirror.sandbox.startBuilder("amd");
    await mirror.sandbox.startBuilder("arm");
    expect([publish.status, publish.summary]).toEqual([0, expect.stringContaining("2 published")]);
    expect(publish.summary).toMatch(/`linux\/amd64 \d+ s, linux\/arm64 \d+ s`/);
    expect(publish.summary).toContain("docker pull ");
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
    const files = await Promise.all(
      ["amd64", "arm64"].map((name) => read(inFolder(`digests/digests-linux-${name}.json`))),
    );
    for (const version of ["1.0.0", "1.1.0"]) {
      const handed = files.flatMap(({ images }) => images.filter((image) => image.version === version));
      const { platforms } = await mirror.registry.index("tiny", version);
      expect(platforms).toEqual(Object.fromEntries(handed.map(({ platform, digest }) => [platform, digest])));
    }
    expect(await mirror.registry.digest("tiny", "latest")).toBe(await mirror.registry.digest("tiny", "1.1.0"));
  });

  it("has nothing left to do in a second round, in any phase", async () => {
    mirror.mark();
    const plan = await reconcile("--phase", "plan");
    expect([plan.status, plan.outputs]).toEqual([0, { work: "false", jobs: "[]", missing: "0" }]);
    expect((await reconcile("--phase", "publish", "--digests", inFolder("digests"))).status).toBe(0);
    expect((await reconcile("--phase", "all")).status).toBe(0);
    const build = await reconcile("--phase", "build", "--digests", inFolder("nothing"));
    expect([build.status, build.summary]).toEqual([0, expect.stringContaining("2 adopted")]);
    expect(mirror.writes()).toEqual([]);
  });

  it("ends with the same images as one process that does it all, on one builder per platform", async () => {
    const split = await contents("mirror");
    mirror.configure({ namespace: "whole" });
    const all = await reconcile("--json");
    mirror.configure({ namespace: "mirror" });
    expect(all.status).toBe(0);
    expect(await contents("whole")).toEqual(split);
    const events = all.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.at(-1)).toMatchObject({ event: "end", phase: "all", exitCode: 0 });
    expect(events.filter(({ event, kind }) => event === "done" && kind === "image")).toHaveLength(4);
    expect(new Set(await builtBy("amd"))).toEqual(new Set(["linux/amd64"]));
    expect(new Set(await builtBy("arm"))).toEqual(new Set(["linux/arm64"]));
  });

  it("refuses a stack configuration with a mistake, as wrong usage", async () => {
    mirror.configure({ platforms: ["linux/nothing"] });
    const run = await reconcile("--phase", "plan");
    mirror.configure({ platforms: ["linux/amd64", "linux/arm64"] });
    expect([run.status, run.stdout]).toEqual([2, expect.stringContaining("linux/nothing")]);
  });
});

/** What the tags of a namespace hold, by version and platform: the layers and how the program is started. */
async function contents(namespace: string): Promise<unknown> {
  const registry = mirror.registry.repositories.split("/")[0]!;
  const found: [string, unknown][] = [];
  for (const version of ["1.0.0", "1.1.0", "latest"]) {
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const name = `${registry}/${namespace}/tiny:${version}`;
      const text = await mirror.registry.regctl(
        "image",
        "config",
        "--platform",
        platform,
        "--format",
        "{{json .}}",
        name,
      );
      const config = JSON.parse(text) as { architecture: string; rootfs: unknown; config: unknown };
      found.push([`${version} ${platform}`, [config.architecture, config.rootfs, config.config]]);
    }
  }
  return Object.fromEntries(found);
}

function altered(fields: Record<string, string>): (files: DigestFile[]) => DigestFile[] {
  return ([first, ...others]) => [changed(first!, fields), ...others];
}

function changed(file: DigestFile, fields: Record<string, string>): DigestFile {
  return { ...file, images: file.images.map((image) => ({ ...image, ...fields })) };
}

function swapped(file: DigestFile, other: DigestFile): DigestFile {
  return {
    ...file,
    images: file.images.map((image, position) => ({ ...image, digest: other.images[position]!.digest })),
  };
}

const brokenOnArm = tinyDockerfile.replace("ENTRYPOINT", "COPY only-for-\${TARGETARCH} /only\nENTRYPOINT");

describe("a platform whose build fails", () => {
  const signing = {
    signing: {
      mode: "key",
      key: "${MIRROR_SANDBOX_COSIGN_KEY}",
      publicKey: "${MIRROR_SANDBOX_COSIGN_PUB}",
      signingConfig: "none",
    },
    sbom: false,
    provenance: false,
  };
  beforeAll(() =>
    start({ attest: signing }, [
      { version: "1.0.0" },
      { version: "1.1.0", dockerfile: brokenOnArm, files: { "only-for-amd64": "x" } },
    ]),
  );
  afterAll(stop);
  const record = (): string[] => ["--failures", inFolder("failures.json")];

  it("fails its build run, which still hands over what it could build", async () => {
    const options = ["--phase", "build", "--digests", inFolder("digests"), ...record()];
    const amd64 = await reconcile(...options, "--platforms", "linux/amd64");
    const arm64 = await reconcile(...options, "--platforms", "linux/arm64");
    expect([amd64.status, arm64.status]).toEqual([0, 1]);
    const handed = await read(inFolder("digests/digests-linux-arm64.json"));
    expect(handed.images.map(({ version }) => version)).toEqual(["1.0.0"]);
  });

  it("does not keep the other version from being published and signed, and is named in the summary", async () => {
    const options = ["--digests", inFolder("digests"), "--result", inFolder("publish.json"), ...record()];
    const publish = await reconcile("--phase", "publish", ...options);
    expect(publish.status).toBe(1);
    expect(await mirror.registry.tags("tiny")).toEqual(expect.arrayContaining(["1.0.0", "latest"]));
    expect(await mirror.registry.tags("tiny")).not.toContain("1.1.0");
    const environment = mirror.environment();
    const name = `${mirror.registry.repositories}/tiny@${await mirror.registry.digest("tiny", "1.0.0")}`;
    const key = environment["MIRROR_SANDBOX_COSIGN_PUB"]!;
    await execute("cosign", ["verify", "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", name], {
      env: environment,
      timeout: 300_000,
    });
    expect(publish.summary).toMatch(/1\.1\.0: .*linux\/arm64/);
    expect(publish.summary).toContain("cosign verify --key");
    expect(JSON.parse(await readFile(inFolder("failures.json"), "utf8"))).toMatchObject({ "tiny/1.1.0": { count: 1 } });
    expect(JSON.parse(await readFile(inFolder("publish.json"), "utf8"))).toMatchObject({
      good: false,
      versions: [
        { version: "1.1.0", complete: false, outcome: "missing" },
        { version: "1.0.0", complete: true },
      ],
    });
  });

  it("waits in the next run, which is no failure, though the version is still missing", async () => {
    const plan = await reconcile("--phase", "plan", ...record());
    expect([plan.status, plan.outputs]).toEqual([0, { work: "false", jobs: "[]", missing: "1" }]);
    expect(plan.summary).toMatch(/not tried before 20\d\d-/);
    mirror.mark();
    const all = await reconcile("--phase", "all", ...record());
    expect([all.status, all.summary]).toEqual([0, expect.stringContaining("1 waiting")]);
    expect(mirror.writes()).toEqual([]);
  });

  it("is tried at once by a manual run, and waits longer after that", async () => {
    const retry = await reconcile("--phase", "all", "--retry", ...record());
    expect(retry.status).toBe(1);
    expect(retry.stdout).toContain("FAILED image tiny-1.1.0-linux-arm64");
    expect(JSON.parse(await readFile(inFolder("failures.json"), "utf8"))).toMatchObject({ "tiny/1.1.0": { count: 2 } });
  });

  it("is tried when the record is lost", async () => {
    await rm(inFolder("failures.json"));
    expect((await reconcile("--phase", "plan", ...record())).status).toBe(3);
  });
});
