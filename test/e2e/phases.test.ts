import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuiltRecord } from "../../components/model/buildRecord";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { reconcileRun } from "./support/reconcileRun";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "./support/tinyUpstream";

const execute = promisify(execFile);

let folder: string;
let mirror: MirrorUnderTest;
const inFolder = (name: string): string => join(folder, name);
const reconcile = (...args: readonly string[]) => reconcileRun(mirror, args);
const read = async (path: string): Promise<BuiltRecord> => JSON.parse(await readFile(path, "utf8")) as BuiltRecord;
const record = (platform: string, version: string): string =>
  inFolder(`digests/linux-${platform}/tiny/${version}.json`);

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

async function start(
  settings: Record<string, unknown>,
  upstream: Parameters<typeof tinyUpstream>[2],
  more = "",
): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "phases-"));
  mirror = await MirrorUnderTest.start({
    sandbox: { builders: { amd: ["linux/amd64"], arm: ["linux/arm64"] } },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", upstream);
      return { tiny: tinyAppFile(sandbox, "tiny", more) };
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
    const files = (await readdir(inFolder("digests"), { recursive: true })).filter((name) => name.includes("."));
    expect(files.toSorted()).toEqual([
      "builds-linux-amd64.ndjson",
      "builds-linux-arm64.ndjson",
      ...["linux-amd64", "linux-arm64"].flatMap((slug) => [`${slug}/tiny/1.0.0.json`, `${slug}/tiny/1.1.0.json`]),
    ]);
  });

  it.each<[string, RegExp, (own: BuiltRecord, others: { arm: BuiltRecord; older: BuiltRecord }) => object]>([
    ["another architecture", /wanted is linux\/amd64/, (own, { arm }) => ({ ...own, image: arm.image })],
    ["another version's image", /its image is another one/, (own, { older }) => ({ ...own, image: older.image })],
    [
      "another commit",
      /the release is commit/,
      (own, { older }) => ({ ...own, upstream: { ...own.upstream, commit: older.upstream.commit } }),
    ],
    ["the record of another job", /whose record is linux-arm64\/tiny\/1\.1\.0\.json/, (_, { arm }) => arm],
    [
      "checks that were not made",
      /was not run with the app's smoke command/,
      (own) => ({ ...own, checks: { programs: 1 } }),
    ],
    [
      "a digest nobody knows",
      /no such manifest/,
      (own) => ({ ...own, image: { ...own.image, digest: `sha256:${"0".repeat(64)}` } }),
    ],
    [
      "another repository",
      /is not the repository of this app/,
      (own) => ({ ...own, image: { ...own.image, repository: "localhost/evil/tiny" } }),
    ],
    ["another platform", /accepted is a platform/, (own) => ({ ...own, platform: "linux/s390x/../x" })],
    ["no digest", /64 lower-case hex digits/, (own) => ({ ...own, image: { ...own.image, digest: "latest" } })],
    ["a field nobody knows", /there is no such key/, (own) => ({ ...own, trusted: true })],
  ])("F28 refuses a build record forged to name %s, and publishes the other version", async (_, reason, forge) => {
    const [own, arm, older] = await Promise.all([
      read(record("amd64", "1.1.0")),
      read(record("arm64", "1.1.0")),
      read(record("amd64", "1.0.0")),
    ]);
    const forged = inFolder("forged");
    await cp(inFolder("digests"), forged, { recursive: true });
    await writeFile(join(forged, "linux-amd64/tiny/1.1.0.json"), JSON.stringify(forge(own, { arm, older })));
    const publish = await reconcile("--phase", "publish", "--dry-run", "--digests", forged);
    await rm(forged, { recursive: true });
    expect(publish.status).toBe(1);
    expect(publish.stdout).toMatch(reason);
    expect(publish.stdout).toMatch(/1\.0\.0 .*missing/);
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

  it("F28 publishes the other version while a record is forged, and moves latest to that", async () => {
    const forged = inFolder("forged");
    await cp(inFolder("digests"), forged, { recursive: true });
    const own = await read(record("amd64", "1.1.0"));
    await writeFile(join(forged, "linux-amd64/tiny/1.1.0.json"), JSON.stringify({ ...own, checks: { programs: 1 } }));
    const publish = await reconcile("--phase", "publish", "--digests", forged);
    await rm(forged, { recursive: true });
    expect([publish.status, publish.summary]).toEqual([1, expect.stringContaining("1 published, 1 missing")]);
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
  });

  it("publishes exactly the images of the build records, without any builder", async () => {
    await mirror.sandbox.stopBuilder("amd");
    await mirror.sandbox.stopBuilder("arm");
    const publish = await reconcile("--phase", "publish", "--digests", inFolder("digests"));
    await mirror.sandbox.startBuilder("amd");
    await mirror.sandbox.startBuilder("arm");
    expect([publish.status, publish.summary]).toEqual([0, expect.stringContaining("1 published, 1 adopted")]);
    expect(publish.summary).toMatch(/`linux\/amd64 \d+ s, linux\/arm64 \d+ s`/);
    expect(publish.summary).toContain("docker pull ");
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "1.1.0", "latest"]);
    for (const version of ["1.0.0", "1.1.0"]) {
      const handed = await Promise.all(["amd64", "arm64"].map((platform) => read(record(platform, version))));
      const { platforms } = await mirror.registry.index("tiny", version);
      expect(platforms).toEqual(Object.fromEntries(handed.map(({ platform, image }) => [platform, image.digest])));
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

describe("a version that is published in phases and signed", () => {
  const attest = {
    signing: {
      mode: "key",
      key: "${MIRROR_SANDBOX_COSIGN_KEY}",
      publicKey: "${MIRROR_SANDBOX_COSIGN_PUB}",
      signingConfig: "none",
    },
  };
  const dockerfile = tinyDockerfile.replace("ENTRYPOINT", "ARG FLAVOUR\nENTRYPOINT");
  beforeAll(() =>
    start({ attest }, [{ version: "1.0.0", dockerfile }], `\n  buildArguments: () => ({ FLAVOUR: "plain" }),`),
  );
  afterAll(stop);

  /** The verified statements on a digest, of one type, with what differs from run to run taken out. */
  async function statements(namespace: string, digest: string, type: string): Promise<readonly unknown[]> {
    const key = mirror.environment()["MIRROR_SANDBOX_COSIGN_PUB"]!;
    const name = `${mirror.registry.repositories.replace(/mirror$/, namespace)}/tiny`;
    const argv = ["verify-attestation", "--key", key, "--insecure-ignore-tlog", "--type", type, `${name}@${digest}`];
    const { stdout } = await execute("cosign", argv, { env: mirror.environment(), maxBuffer: 64 * 1024 * 1024 });
    return stdout.split("\n").flatMap((line) => {
      if (!line.startsWith("{")) return [];
      const text = Buffer.from((JSON.parse(line) as { payload: string }).payload, "base64").toString();
      return [(JSON.parse(text) as { predicate: unknown }).predicate];
    });
  }

  const comparable = (value: unknown, namespace: string): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, inner: unknown) =>
        key === "content" ? comparable(JSON.parse(Buffer.from(String(inner), "base64").toString()), namespace) : inner,
      )
        .replaceAll(`/${namespace}/`, "/NAMESPACE/")
        .replaceAll(/"(startedOn|finishedOn)":"[^"]*"/g, '"$1":"TIME"')
        .replaceAll(/("(?:byproducts|image)":.*?)(?:sha256:)?[0-9a-f]{64}/g, "$1DIGEST"),
    ) as unknown;

  it("is built, checked and scanned per platform, and signed where there is neither builder nor scanner", async () => {
    for (const platform of ["linux/amd64", "linux/arm64"]) {
      const build = await reconcile("--phase", "build", "--platforms", platform, "--digests", inFolder("digests"));
      expect(build.status, build.stdout).toBe(0);
      const slug = platform.replace("/", "-");
      const files = await readdir(inFolder(`digests/${slug}/tiny`));
      expect(files.toSorted()).toEqual(["1.0.0.json", "1.0.0.spdx.json"]);
    }
    await mirror.sandbox.stopBuilder("amd");
    await mirror.sandbox.stopBuilder("arm");
    const publish = await reconcile("--phase", "publish", "--digests", inFolder("digests"));
    await mirror.sandbox.startBuilder("amd");
    await mirror.sandbox.startBuilder("arm");
    expect(publish.status, publish.stdout).toBe(0);
  });

  it("carries the statements of one run that does it all, field by field", async () => {
    mirror.configure({ namespace: "whole" });
    const all = await reconcile();
    expect(all.status, all.stdout).toBe(0);
    mirror.configure({ namespace: "mirror" });
    const split = await mirror.registry.index("tiny", "1.0.0");
    const whole = JSON.parse(
      await mirror.registry.regctl(
        "manifest",
        "get",
        "--format",
        "raw-body",
        `${mirror.registry.repositories.replace(/mirror$/, "whole")}/tiny:1.0.0`,
      ),
    ) as { manifests: { digest: string; platform: { architecture: string } }[] };
    const wholeIndex = (
      await mirror.registry.regctl(
        "image",
        "digest",
        `${mirror.registry.repositories.replace(/mirror$/, "whole")}/tiny:1.0.0`,
      )
    ).trim();
    for (const type of ["slsaprovenance1", "https://multiarch-mirror.github.io/predicate/mirror/v1"]) {
      const [phases, one] = [
        await statements("mirror", split.digest, type),
        await statements("whole", wholeIndex, type),
      ];
      expect(phases).toHaveLength(1);
      const digests = (text: string): string =>
        text.replaceAll(/[0-9a-f]{64}/g, (hex) => (known.has(hex) ? "DIGEST" : hex));
      const known = new Set(
        [
          split.digest,
          wholeIndex,
          ...Object.values(split.platforms),
          ...whole.manifests.map(({ digest }) => digest),
        ].map((digest) => digest.slice(7)),
      );
      const text = (value: unknown, namespace: string): string => digests(JSON.stringify(comparable(value, namespace)));
      expect(text(phases, "mirror")).toEqual(text(one, "whole"));
    }
    const [provenance] = await statements("mirror", split.digest, "slsaprovenance1");
    expect(provenance).toMatchObject({
      buildDefinition: {
        externalParameters: {
          platforms: ["linux/amd64", "linux/arm64"],
          buildArguments: { "linux/amd64": { FLAVOUR: "plain" }, "linux/arm64": { FLAVOUR: "plain" } },
        },
      },
    });
  });
});

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
  const failures = (): string[] => ["--failures", inFolder("failures.json")];

  it("fails its build run, which still hands over what it could build", async () => {
    const options = ["--phase", "build", "--digests", inFolder("digests"), ...failures()];
    const amd64 = await reconcile(...options, "--platforms", "linux/amd64");
    const arm64 = await reconcile(...options, "--platforms", "linux/arm64");
    expect([amd64.status, arm64.status]).toEqual([0, 1]);
    expect(await readdir(inFolder("digests/linux-arm64/tiny"))).toEqual(["1.0.0.json"]);
  });

  it("does not keep the other version from being published and signed, and is named in the summary", async () => {
    const options = ["--digests", inFolder("digests"), "--result", inFolder("publish.json"), ...failures()];
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
    const plan = await reconcile("--phase", "plan", ...failures());
    expect([plan.status, plan.outputs]).toEqual([0, { work: "false", jobs: "[]", missing: "1" }]);
    expect(plan.summary).toMatch(/not tried before 20\d\d-/);
    mirror.mark();
    const all = await reconcile("--phase", "all", ...failures());
    expect([all.status, all.summary]).toEqual([0, expect.stringContaining("1 waiting")]);
    expect(mirror.writes()).toEqual([]);
  });

  it("is tried at once by a manual run, and waits longer after that", async () => {
    const retry = await reconcile("--phase", "all", "--retry", ...failures());
    expect(retry.status).toBe(1);
    expect(retry.stdout).toContain("✗ FAILED tiny 1.1.0 linux/arm64: ");
    expect(JSON.parse(await readFile(inFolder("failures.json"), "utf8"))).toMatchObject({ "tiny/1.1.0": { count: 2 } });
  });

  it("is tried when the record is lost", async () => {
    await rm(inFolder("failures.json"));
    expect((await reconcile("--phase", "plan", ...failures())).status).toBe(3);
  });
});
