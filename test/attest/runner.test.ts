import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttestationKind, cosignTypes, predicateTypes } from "../../components/model/attestationKind";
import { planVariable } from "../../components/attest/attestPlan";
import { provenance } from "../../components/attest/provenance";
import { run } from "../../components/attest/run";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import type { Digest } from "../../components/model/digest";
import { AttestedRegistry } from "./attestedRegistry";
import { exampleSigner, testAuthority, testBundle, testCertificate } from "./bundles";
import { exampleBuild, exampleImages, exampleRecord } from "./fixtures";
import { FakeClock } from "../support/fakeClock";
import { FakeTools, type ToolAnswer, type ToolCall } from "./fakeTools";

const root = join(__dirname, "../..");
const password = "canary-password-4711";
const keyless = { mode: "keyless", identity: "^https://github\\.com/example/" };
const key = {
  mode: "key",
  key: "env://COSIGN_PRIVATE_KEY",
  publicKey: "env://COSIGN_PUBLIC_KEY",
  signingConfig: "none",
};

/** cosign and syft as far as the runner can tell, on top of the registry's contents. */
class Simulation {
  readonly busy = new Map<string, number>();
  /** Most that signed at once about one digest, and over all. */
  mostPerDigest = 0;
  mostAtOnce = 0;
  /** Instead of doing the work. */
  refuse: (call: ToolCall) => ToolAnswer | undefined = () => undefined;

  constructor(readonly registry: AttestedRegistry) {}

  readonly answer = async (call: ToolCall): Promise<ToolAnswer> => {
    const refused = this.refuse(call);
    if (refused) return refused;
    const subject = (call.argv.at(-1) ?? "").split("@")[1] as Digest;
    if (call.tool === "syft") return { file: JSON.stringify(document) };
    switch (call.argv[0]) {
      case "sign":
      case "attest":
        return this.#sign(subject, call);
      case "verify":
        return this.#verify(subject);
      case "verify-attestation":
        return this.#statements(subject, call);
      default:
        return { status: 1, stderr: `unexpected ${call.argv.join(" ")}` };
    }
  };

  async #sign(subject: Digest, call: ToolCall): Promise<ToolAnswer> {
    this.busy.set(subject, (this.busy.get(subject) ?? 0) + 1);
    this.mostPerDigest = Math.max(this.mostPerDigest, this.busy.get(subject) ?? 0);
    this.mostAtOnce = Math.max(
      this.mostAtOnce,
      [...this.busy.values()].reduce((sum, count) => sum + count, 0),
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    this.busy.set(subject, (this.busy.get(subject) ?? 0) - 1);
    const type = call.argv[call.argv.indexOf("--type") + 1];
    const attested = (["sbom", "provenance", "mirror"] as const).find((name) => cosignTypes[name] === type) ?? "mirror";
    const kind = call.argv[0] === "sign" ? "signature" : attested;
    const predicate: unknown = JSON.parse(call.predicate ?? "{}");
    return { file: JSON.stringify(testBundle(subject, kind, this.registry.signer, predicate)) };
  }

  #verify(subject: Digest): ToolAnswer {
    const own = this.registry.attached(subject).filter(({ foreign }) => !foreign);
    if (own.length === 0) return { status: 10, stderr: "Error: no signatures found" };
    const entry = (kind: AttestationKind) => ({
      critical: { image: { "docker-manifest-digest": subject }, type: predicateTypes[kind] },
    });
    return { stdout: `\n${JSON.stringify(own.map(({ kind }) => entry(kind)))}\n` };
  }

  #statements(subject: Digest, call: ToolCall): ToolAnswer {
    const type = call.argv[call.argv.indexOf("--type") + 1];
    const own = this.registry
      .attached(subject)
      .filter(({ kind, foreign }) => !foreign && kind !== "signature" && cosignTypes[kind] === type);
    if (own.length === 0) return { status: 1, stderr: "Error: none of the attestations matched the predicate type" };
    const lines = own.map(({ predicate }) => {
      const payload = Buffer.from(
        JSON.stringify({ predicateType: type, predicate: JSON.parse(predicate ?? "{}") as unknown }),
      );
      return JSON.stringify({ payload: payload.toString("base64") });
    });
    return { stdout: lines.join("\n") };
  }
}

const document = {
  spdxVersion: "SPDX-2.3",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "x",
  documentNamespace: "https://example.org/x",
  creationInfo: { created: "2026-01-01T00:00:00Z" },
  packages: [{ SPDXID: "SPDXRef-Package-a" }],
};

let registry: AttestedRegistry;
/** Paths of the SBOMs that were handed over. */
let sboms: Readonly<Record<string, string>>;
let folder: string;
let tools: FakeTools;
let simulation: Simulation;

async function open(api: boolean): Promise<void> {
  registry = await new AttestedRegistry(api).start();
  simulation = new Simulation(registry);
  tools = await new FakeTools(simulation.answer).start();
  folder = mkdtempSync(join(tmpdir(), "sboms-"));
  const write = ([platform, digest]: readonly [string, Digest]): [string, string] => {
    const path = join(folder, `${digest.slice(7)}.json`);
    writeFileSync(path, JSON.stringify({ ...document, name: `${registry.repository}@${digest} (${platform})` }));
    return [platform, path];
  };
  sboms = Object.fromEntries(Object.entries(registry.platforms).map(write));
}

async function close(): Promise<void> {
  await tools.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}

beforeEach(() => open(false));
afterEach(close);

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface AttestOptions {
  readonly signing?: object;
  readonly record?: object | null;
  readonly environment?: NodeJS.ProcessEnv;
  readonly plan?: object;
}

const inputs = ({ signing = key, record = exampleRecord, environment = {}, plan = {} }: AttestOptions) => {
  const config = { signing, sbom: true, provenance: true, adopted: false };
  const common = {
    repository: registry.repository,
    indexDigest: registry.index,
    version: "1.2.3",
    tag: "1.2.3",
    known: Object.values(registry.platforms),
    labels: { version: "1.2.3" },
    sboms,
    startedOn: "2026-01-01T00:00:00Z",
  };
  const variable = JSON.stringify({ ...common, config, ...plan });
  const secrets = {
    COSIGN_PASSWORD: password,
    COSIGN_PRIVATE_KEY: "canary-key-0815",
    COSIGN_PUBLIC_KEY: registry.publicKey,
  };
  const env = { ...tools.environment, ...secrets, [planVariable]: variable, ...environment };
  return { env, stdin: record === null ? "" : JSON.stringify(record) };
};

/** In this process, with tools that are functions. */
async function attest(options: AttestOptions = {}): Promise<Ended> {
  const { env, stdin } = inputs(options);
  try {
    return { status: 0, stdout: JSON.stringify(await run(stdin, env, root, tools.run, new FakeClock())), stderr: "" };
  } catch (error) {
    return { status: 1, stdout: "", stderr: (error as Error).message };
  }
}

/** As Pulumi starts it, with tools that are processes. */
async function attestByProcess(options: AttestOptions = {}): Promise<Ended> {
  const { env, stdin } = inputs(options);
  const child = spawn("node", ["components/attest/launch.cjs", "attest"], { cwd: root, env });
  child.stdin.end(stdin);
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on("close", resolve)),
  ]);
  return { status, stdout, stderr };
}

const kinds = (digest: Digest): readonly string[] =>
  registry
    .attached(digest)
    .map(({ kind }) => kind)
    .toSorted();
const writes = (): readonly ToolCall[] => tools.calls.filter(({ argv }) => argv[0] === "sign" || argv[0] === "attest");

describe("attesting a version", () => {
  it("makes exactly what is wanted, and a second time nothing", async () => {
    expect(await attest()).toMatchObject({ status: 0, stderr: "" });
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
    for (const digest of Object.values(registry.platforms)) expect(kinds(digest)).toEqual(["sbom", "signature"]);
    const made = writes().length;
    expect(JSON.parse((await attest()).stdout)).toMatchObject({ added: [] });
    expect(writes()).toHaveLength(made);
    expect(tools.calls.filter(({ tool }) => tool === "syft")).toEqual([]);
  });

  it("starts no verification where nothing is listed, and verifies at the end", async () => {
    await attest();
    const commands = tools.calls.map(({ tool, argv }) => (tool === "syft" ? "syft" : argv[0]));
    const lastWrite = Math.max(commands.lastIndexOf("sign"), commands.lastIndexOf("attest"));
    expect(commands.findIndex((command) => command?.startsWith("verify"))).toBeGreaterThan(lastWrite);
    expect(commands.slice(lastWrite + 1).filter((command) => command === "verify")).toHaveLength(3);
  });

  it.each([
    [true, [["verify", "index"]]],
    [
      false,
      [
        ["verify", "linux/amd64"],
        ["verify", "linux/arm64"],
        ["verify", "index"],
      ],
    ],
  ])(
    "verifies once what is there and once what it writes, and nothing that was sealed in this run: %s",
    async (isSealed, asked) => {
      const images = Object.entries(registry.platforms);
      for (const [platform, digest] of images) {
        registry.attach(digest, "signature");
        registry.attach(digest, "sbom", { predicate: readFileSync(sboms[platform] ?? "", "utf8") });
      }
      const sealed = isSealed ? Object.values(registry.platforms) : [];
      expect(await attest({ plan: { sealed }, record: null })).toMatchObject({ status: 0 });
      const named = ({ argv }: ToolCall): string =>
        images.find(([, digest]) => argv.at(-1)?.endsWith(digest))?.[0] ?? "index";
      const verifying = tools.calls.filter(({ argv }) => argv[0]?.startsWith("verify"));
      expect(verifying.map((call) => [call.argv[0], named(call)]).toSorted()).toEqual(asked.toSorted());
      expect(kinds(registry.index)).toEqual(["sbom", "sbom", "signature"]);
    },
  );

  it("signs side by side, also what is about one digest, and changes the list of each digest once", async () => {
    await attest();
    expect(simulation.mostPerDigest).toBeGreaterThan(1);
    expect(simulation.mostAtOnce).toBeLessThanOrEqual(2 * availableParallelism());
    const changes = registry.requests.filter((request) => /^PUT .*\/manifests\/sha256-/.test(request));
    const digests = [registry.index, ...Object.values(registry.platforms)];
    const list = (digest: Digest): string => `PUT /v2/test/app/manifests/${digest.replace(":", "-")}`;
    expect(changes.toSorted()).toEqual(digests.map(list).toSorted());
  });

  it("lets processes for versions that share digests take turns, and makes nothing twice", async () => {
    const ended = await Promise.all([attest(), attest()]);
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    expect(registry.mostListWriters).toBe(1);
    for (const digest of Object.values(registry.platforms)) expect(kinds(digest)).toEqual(["sbom", "signature"]);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("makes nothing twice where as many entries as it adds are taken out of the list, as they lead nowhere", async () => {
    await attest();
    for (const { digest } of registry.attached(registry.index)) registry.remove(registry.index, digest);
    expect(registry.dangling(registry.index)).toHaveLength(5);
    const ended = await Promise.all([attest(), attest()]);
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("attests the SBOM that was handed over for each platform, and lists it on the index too", async () => {
    await attest();
    const names = (digest: Digest): readonly string[] =>
      registry
        .attached(digest)
        .flatMap(({ kind, predicate }) =>
          kind === "sbom" ? [(JSON.parse(predicate ?? "") as { name: string }).name] : [],
        );
    const platforms = Object.entries(registry.platforms);
    for (const [platform, digest] of platforms)
      expect(names(digest)).toEqual([`${registry.repository}@${digest} (${platform})`]);
    expect(names(registry.index).toSorted()).toEqual(platforms.flatMap(([, digest]) => names(digest)).toSorted());
  });

  it("takes the SBOM a platform already carries for the index, and scans nothing", async () => {
    await attest();
    const sbom = registry.attached(registry.index).find(({ kind }) => kind === "sbom")!;
    registry.remove(registry.index, sbom.digest);
    expect((await attest({ plan: { sboms: {} } })).status).toBe(0);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
    expect(tools.calls.filter(({ tool }) => tool === "syft")).toEqual([]);
  });

  it("attests a platform's SBOM beside another image's that was signed for it", async () => {
    await attest();
    const amd64 = registry.platforms["linux/amd64"];
    for (const digest of [amd64, registry.index]) {
      const own = registry
        .attached(digest)
        .find(({ kind, predicate }) => kind === "sbom" && predicate?.includes(`@${amd64} `));
      registry.remove(digest, own!.digest);
      registry.attach(digest, "sbom", { predicate: readFileSync(sboms["linux/arm64"]!, "utf8") });
    }
    const { status, stdout } = await attest();
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty("added", ["no SBOM linux/amd64", "no SBOM linux/amd64"]);
    expect(kinds(amd64)).toEqual(["sbom", "sbom", "signature"]);
    expect(registry.attached(amd64).at(-1)?.predicate).toContain(`@${amd64} `);
  });

  it("signs and states the rest although no SBOM was handed over, and says that one is missing", async () => {
    const { status, stderr } = await attest({ plan: { sboms: {} } });
    expect(status).toBe(1);
    expect(stderr).toContain("no build run handed over an SBOM for linux/amd64");
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "signature"]);
  });

  it("restores exactly what was deleted, although the old list still names it", async () => {
    await attest();
    const before = registry.attached(registry.index);
    const gone = before.filter(({ kind }) => kind === "signature" || kind === "provenance");
    for (const { digest } of gone) registry.remove(registry.index, digest);
    const made = writes().length;
    const { status, stdout } = await attest();
    expect({ status, added: (JSON.parse(stdout) as { added: unknown }).added }).toEqual({
      status: 0,
      added: ["unsigned", "no provenance"],
    });
    expect(
      writes()
        .slice(made)
        .map(({ argv }) => argv[0])
        .toSorted(),
    ).toEqual(["attest", "sign"]);
    const kept = before.filter((entry) => !gone.includes(entry)).map(({ digest }) => digest);
    expect(registry.attached(registry.index).map(({ digest }) => digest)).toEqual(expect.arrayContaining(kept));
    expect(registry.dangling(registry.index)).toEqual([]);
  });

  it("writes again the one of two SBOMs of the index that is lost", async () => {
    let losses = 1;
    registry.afterAttach = (subject, kind, written) => {
      if (subject === registry.index && kind === "sbom" && losses-- > 0) registry.lose(subject, written);
    };
    expect(await attest()).toMatchObject({ status: 0, stderr: "" });
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("writes again what another writer's list made disappear", async () => {
    let losses = 1;
    registry.afterAttach = (subject, kind, written) => {
      if (kind === "provenance" && losses-- > 0) registry.lose(subject, written);
    };
    expect((await attest()).status).toBe(0);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("is written once where the registry lists it late, also beside what others attached", async () => {
    await close();
    await open(true);
    registry.attach(registry.index, "signature", { foreign: true });
    registry.late = 9;
    expect(await attest()).toMatchObject({ status: 0 });
    expect(registry.attached(registry.index)).toHaveLength(1 + 5);
  });

  it("gives up after a few tries when it is lost every time", async () => {
    registry.afterAttach = (subject, kind, written) => {
      if (kind === "mirror") registry.lose(subject, written);
    };
    const { status, stderr } = await attest();
    expect(status).toBe(1);
    expect(stderr).toMatch(/no mirror record, after 3 tries/);
  });

  it("signs what only somebody else has signed", async () => {
    registry.attach(registry.index, "signature", { foreign: true });
    expect((await attest()).status).toBe(0);
    expect(kinds(registry.index).filter((kind) => kind === "signature")).toHaveLength(2);
  });

  it("attests no provenance for a version whose build nobody saw", async () => {
    expect((await attest({ record: null })).status).toBe(0);
    expect(kinds(registry.index)).toEqual(["sbom", "sbom", "signature"]);
  });

  it("writes provenance and mirror record out of what its images carry, signed by us, where no record is left", async () => {
    for (const [platform, digest] of Object.entries(registry.platforms)) carryProvenance(platform, digest);
    expect(await attest({ record: null })).toMatchObject({ status: 0 });
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
    const provenance = registry.attached(registry.index).find(({ kind }) => kind === "provenance")?.predicate;
    expect(JSON.parse(provenance ?? "")).toMatchObject({
      runDetails: { builder: exampleBuild("linux/amd64").builder, metadata: exampleBuild("linux/amd64").run },
    });
  });

  it("says of each image where it is from: its own provenance of what was built, and the plan of all others", async () => {
    const { "linux/amd64": built } = registry.platforms;
    carryProvenance("linux/amd64", built);
    const from = `docker.io/upstream/app@${exampleImages["linux/arm64"]}`;
    const platforms = { "linux/amd64": { origin: "kept" }, "linux/arm64": { origin: "copied", from } } as const;
    expect(await attest({ record: { ...exampleRecord, platforms, builds: [] } })).toMatchObject({ status: 0 });
    const stated = (wanted: AttestationKind): unknown =>
      JSON.parse(registry.attached(registry.index).find(({ kind }) => kind === wanted)?.predicate ?? "{}");
    expect(stated("mirror")).toMatchObject({
      platforms: expect.arrayContaining([
        { platform: "linux/amd64", digest: built, origin: "built" },
        expect.objectContaining({ platform: "linux/arm64", origin: "copied", from }),
      ]) as unknown,
    });
    expect(stated("provenance")).toMatchObject({
      buildDefinition: { externalParameters: { builtPlatforms: ["linux/amd64"] } },
    });
  });

  it("counts no try that got further", async () => {
    // Each service works now and then: one write at a time gets through.
    let calls = 0;
    simulation.refuse = ({ argv }) =>
      (argv[0] === "sign" || argv[0] === "attest") && ++calls % 3 !== 0
        ? { status: 1, stderr: "Error: 503 Service Unavailable" }
        : undefined;
    expect(await attest()).toMatchObject({ status: 0, stderr: "" });
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  }, 60_000);
});

/** Attaches the signed provenance of an image of a version. */
function carryProvenance(platform: string, digest: Digest, version = "1.2.3"): void {
  const image = { repository: registry.repository, digest };
  const build = exampleBuild(platform as "linux/amd64" | "linux/arm64", { image, version, tag: version });
  const facts = { version, tag: version, repository: registry.repository, upstream: build.upstream };
  const record = composeVersionRecord({ ...facts, records: [build], present: {} });
  registry.attach(digest, "provenance", { predicate: JSON.stringify(provenance(record, { [platform]: digest })) });
}

describe("what is not ours", () => {
  const stranger = { known: [] };

  it("is never signed: neither index nor platform manifest, and it is named", async () => {
    const { status, stderr } = await attest({ plan: stranger });
    expect(status).toBe(1);
    expect(stderr).toMatch(/not ours: linux\/amd64, linux\/arm64 carries no valid signature of this mirror/);
    expect(writes()).toEqual([]);
  });

  it("is not signed for the sake of one platform that is ours", async () => {
    registry.attach(registry.platforms["linux/amd64"], "signature");
    const { stderr } = await attest({ plan: stranger });
    expect(stderr).toMatch(/not ours: linux\/arm64 carries/);
    expect(writes()).toEqual([]);
  });

  it("is not signed for a signature that reads as ours and that cosign does not verify", async () => {
    for (const digest of Object.values(registry.platforms)) registry.attach(digest, "signature");
    simulation.refuse = ({ argv }) =>
      argv[0] === "verify" ? { status: 1, stderr: "Error: no matching attestations: expired certificate" } : undefined;
    expect((await attest({ plan: stranger })).stderr).toMatch(/not ours: linux\/amd64, linux\/arm64/);
    expect(writes()).toEqual([]);
  });

  it("is not signed as this version when its images are signed as those of another", async () => {
    for (const [platform, digest] of Object.entries(registry.platforms)) carryProvenance(platform, digest, "1.2.2");
    const { status, stderr } = await attest({ plan: stranger, record: null });
    expect(status).toBe(1);
    expect(stderr).toMatch(/not ours: its linux\/amd64 is the image of version 1\.2\.2, not 1\.2\.3/);
    expect(writes()).toEqual([]);
  });

  it("is not signed when its images are signed, and nothing says as which version", async () => {
    for (const digest of Object.values(registry.platforms)) registry.attach(digest, "signature");
    const { status, stderr } = await attest({ plan: { ...stranger, labels: { version: "1.2.2" } }, record: null });
    expect(status).toBe(1);
    expect(stderr).toMatch(/not ours: linux\/amd64, linux\/arm64 is signed, but not as an image of version 1\.2\.3/);
    expect(writes()).toEqual([]);
  });

  it("is signed when its images are signed, and their labels are those of the version", async () => {
    for (const digest of Object.values(registry.platforms)) registry.attach(digest, "signature");
    expect((await attest({ plan: stranger, record: null })).stderr).not.toContain("not ours");
    expect(kinds(registry.index)).toContain("signature");
    // Each says both its platform and its labels when it is asked once; and is read again to attach something to it.
    for (const digest of Object.values(registry.platforms))
      expect(registry.requests.filter((request) => request.startsWith("GET") && request.endsWith(digest))).toHaveLength(
        2,
      );
  });

  it("is not signed when its images are signed, and listed for each other's platform", async () => {
    await attest();
    const { "linux/amd64": amd64, "linux/arm64": arm64 } = registry.platforms;
    const children = [
      ["linux/amd64", arm64],
      ["linux/arm64", amd64],
    ] as const;
    const indexDigest = registry.publish("swapped", children);
    for (const known of [[], [amd64, arm64]])
      expect((await attest({ plan: { indexDigest, known }, record: null })).stderr).toContain(
        "not ours: its image for linux/amd64 is one for linux/arm64; its image for linux/arm64 is one for linux/amd64",
      );
  });

  it("is not signed for its images when it holds something besides, unless what it was completed from did", async () => {
    const evil = registry.image("amd64", "evil");
    const images = Object.entries(registry.platforms);
    for (const [, digest] of images) registry.attach(digest, "signature");
    const indexDigest = registry.publish("1.2.3", [...images, ["linux/amd64", evil]]);
    const { status, stderr } = await attest({ plan: { ...stranger, indexDigest } });
    expect(status).toBe(1);
    expect(stderr).toContain(`not ours: its index holds besides its images ${evil}`);
    const completed = registry.publish("1.2.3-", [images[0] as [string, Digest], ["linux/amd64", evil]]);
    expect((await attest({ plan: { ...stranger, indexDigest, completed } })).stderr).toContain(evil);
    expect(writes()).toEqual([]);
    registry.attach(completed, "signature");
    expect((await attest({ plan: { ...stranger, indexDigest, completed } })).status).toBe(0);
  });

  it("is signed when all its images are ours, and when the stack takes it over", async () => {
    for (const digest of Object.values(registry.platforms)) registry.attach(digest, "signature");
    expect((await attest({ plan: stranger })).status).toBe(0);
    for (const digest of Object.values(registry.platforms))
      for (const { digest: bundle } of registry.attached(digest)) registry.remove(digest, bundle);
    for (const { digest: bundle } of registry.attached(registry.index)) registry.remove(registry.index, bundle);
    const config = { signing: key, sbom: true, provenance: true, adopted: true };
    expect((await attest({ plan: { ...stranger, config } })).status).toBe(0);
  });
});

describe("attesting fails", () => {
  it.each([
    ["an empty field", { version: "" }, "version"],
    ["a misspelt field", { buildArgs: {} }, "buildArgs"],
    ["a platform the index has not", { platforms: { "linux/s390x": { origin: "built" } } }, "linux/s390x"],
  ])("before anything is written, for a build record with %s", async (_, change, named) => {
    const { status, stderr } = await attest({ record: { ...exampleRecord, ...change } });
    expect(status).toBe(1);
    expect(stderr).toContain(named);
    expect(tools.calls).toEqual([]);
  });

  it("before anything is asked, for an index named by tag", async () => {
    const { status, stderr } = await attest({ plan: { indexDigest: "1.0.0" } });
    expect(status).toBe(1);
    expect(stderr).toContain('indexDigest: "1.0.0"; accepted is "sha256:"');
    expect(registry.requests).toEqual([]);
  });

  it("at once and without starting anything, for keyless signing on a machine without an identity token", async () => {
    const { status, stderr } = await attest({ signing: keyless });
    expect(status).toBe(1);
    expect(stderr).toMatch(/OIDC identity token/);
    expect(stderr).toContain("ACTIONS_ID_TOKEN_REQUEST_URL");
    expect(tools.calls).toEqual([]);
  });

  it("a bounded number of times when the signing service is unreachable, with the reason, and writes nothing", async () => {
    simulation.refuse = ({ argv }) =>
      argv[0] === "sign" || argv[0] === "attest"
        ? { status: 1, stderr: "Error: fulcio: 503 Service Unavailable" }
        : undefined;
    const { status, stderr } = await attest({ signing: keyless, environment: { SIGSTORE_ID_TOKEN: "canary-token-2" } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/unsigned.*after 3 tries.*503 Service Unavailable/s);
    // Once for each digest, and after that one alone.
    expect(writes().length).toBe(3 + 1 + 1);
    expect(kinds(registry.index)).toEqual([]);
  });

  it("with all attached that was signed by then", async () => {
    simulation.refuse = ({ argv }) =>
      argv.includes(cosignTypes.provenance) ? { status: 1, stderr: "Error: 503 Service Unavailable" } : undefined;
    const { status, stderr } = await attest();
    expect(status).toBe(1);
    expect(stderr).toMatch(/no provenance.*, after 3 tries: cosign attest: 503 Service Unavailable/);
    expect(kinds(registry.index)).toContain("signature");
    const attached = [registry.index, ...Object.values(registry.platforms)].flatMap(kinds);
    // Besides, what the manifests of all bundles name is uploaded once.
    expect(registry.requests.filter((request) => request.startsWith("POST "))).toHaveLength(1 + attached.length);
  });

  it("with the registry's words when it takes nothing", async () => {
    registry.refusesWrites = true;
    const { status, stderr } = await attest();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /unsigned.*after 3 tries: cannot write blob \S+@sha256:.*status 403, saying "DENIED: read only"/,
    );
    expect(kinds(registry.index)).toEqual([]);
  });

  it("when a tool does not come to an end, which is killed", async () => {
    simulation.refuse = ({ argv }) => (argv[0] === "sign" ? (new Promise<never>(() => undefined) as never) : undefined);
    const limits = { cosignSeconds: 0.5, totalSeconds: 60 };
    const { status, stderr } = await attestByProcess({ plan: { limits } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/cosign (sign|attest) took longer than 0\.5 s/);
  });

  it("without writing when cosign cannot verify what is there: that is not missing", async () => {
    registry.attach(registry.index, "signature");
    simulation.refuse = ({ argv }) =>
      argv[0] === "verify" ? { status: 1, stderr: "Error: tuf refresh failed" } : undefined;
    const { status, stderr } = await attest();
    expect(status).toBe(1);
    expect(stderr).toContain("tuf refresh failed");
    expect(writes()).toEqual([]);
  });

  it("without writing when the registry gives no answer", async () => {
    registry.outage = 403;
    expect((await attest()).status).toBe(1);
    expect(tools.calls).toEqual([]);
  });

  it("after one write when what was written does not verify, instead of piling up signatures", async () => {
    simulation.refuse = ({ argv }) =>
      argv[0] === "verify" ? { status: 1, stderr: "Error: no matching attestations: " } : undefined;
    const { status, stderr } = await attest();
    expect(status).toBe(1);
    expect(stderr).toMatch(/written, but does not verify/);
    expect(kinds(registry.index).filter((kind) => kind === "signature")).toHaveLength(1);
  });
});

describe("secrets", () => {
  it("are in no argument, and reach cosign only by its environment", async () => {
    expect(await attestByProcess()).toMatchObject({ status: 0, stderr: "" });
    const argv = JSON.stringify(tools.calls.map((call) => call.argv));
    expect(argv).not.toContain("canary");
    const sign = tools.calls.find((call) => call.argv[0] === "sign");
    expect(sign?.environment["COSIGN_PASSWORD"]).toBe(password);
    for (const { environment } of tools.calls.filter(({ tool }) => tool === "syft")) {
      expect(JSON.stringify(environment)).not.toContain("canary");
    }
  });

  it("are cut out of what a failing tool says", async () => {
    simulation.refuse = ({ argv }) =>
      argv[0] === "sign" ? { status: 1, stderr: `Error: bad password ${password}\n\u001b[31m::error::x` } : undefined;
    const { stdout, stderr } = await attestByProcess();
    expect(stdout + stderr).not.toContain("canary");
    expect(stderr).toContain("[secret]");

    // What failed, and the reason alone.
    expect(stderr.trimEnd().split("\n")).toEqual([
      `${registry.repository}@${registry.index} is not fully attested:`,
      expect.stringMatching(/^[^\u0000-\u001f]+$/),
    ]);
  });

  it("cannot be redirected by cosign's own variables", async () => {
    await attest({ environment: { COSIGN_REPOSITORY: "elsewhere.example/x", COSIGN_KEY: "other" } });
    const names = tools.calls.flatMap(({ environment }) => Object.keys(environment));
    expect(names).not.toContain("COSIGN_REPOSITORY");
    expect(names).not.toContain("COSIGN_KEY");
  });
});

describe("keyless signing", () => {
  it("asks cosign for the token flow, never for a browser or a device code, and checks identity and issuer", async () => {
    const authority = await testAuthority();
    registry.signer = await testCertificate(exampleSigner, authority);
    const certificates = [{ rawBytes: Buffer.from(authority.certificate.rawData).toString("base64") }];
    const trustedRoot = join(tmpdir(), `root-${process.pid}.json`);
    writeFileSync(trustedRoot, JSON.stringify({ certificateAuthorities: [{ certChain: { certificates } }] }));
    const signing = { ...keyless, trustedRoot };
    expect((await attest({ signing, environment: { SIGSTORE_ID_TOKEN: "canary-token-1" } })).status).toBe(0);
    for (const { argv } of writes()) expect(argv.join(" ")).toContain("--yes --fulcio-auth-flow token");
    const verify = tools.calls.find(({ argv }) => argv[0] === "verify")?.argv.join(" ");
    expect(verify).toContain(
      "--certificate-identity-regexp ^https://github\\.com/example/ --certificate-oidc-issuer https://token.actions.githubusercontent.com",
    );
  });

  it("takes a certificate for nothing that only says what ours say, and is of no public authority", async () => {
    registry.signer = await testCertificate();
    for (const digest of Object.values(registry.platforms)) registry.attach(digest, "signature");
    const environment = { SIGSTORE_ID_TOKEN: "canary-token-1", MIRROR_CACHE: mkdtempSync(join(tmpdir(), "tuf-")) };
    const { stderr } = await attest({ signing: keyless, environment, plan: { known: [] } });
    expect(stderr).toMatch(/not ours: linux\/amd64, linux\/arm64 carries no valid signature/);
    expect(tools.calls).toEqual([]);
  });
});
