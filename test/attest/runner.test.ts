import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttestationKind, cosignTypes, predicateTypes } from "../../components/model/attestationKind";
import { planVariable } from "../../components/attest/attestPlan";
import { run } from "../../components/attest/run";
import type { Digest } from "../../components/model/digest";
import { AttestedRegistry } from "./attestedRegistry";
import { testCertificate } from "./bundles";
import { exampleRecord } from "./fixtures";
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
  /** Most writers at once on one digest, and over all. */
  mostPerDigest = 0;
  mostAtOnce = 0;
  /** Called after each write. */
  afterWrite: (subject: Digest, kind: AttestationKind, written: Digest) => void = () => undefined;
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
        return this.#write(subject, call);
      case "verify":
        return this.#verify(subject);
      case "verify-attestation":
        return this.#statements(subject, call);
      default:
        return { status: 1, stderr: `unexpected ${call.argv.join(" ")}` };
    }
  };

  async #write(subject: Digest, call: ToolCall): Promise<ToolAnswer> {
    this.busy.set(subject, (this.busy.get(subject) ?? 0) + 1);
    this.mostPerDigest = Math.max(this.mostPerDigest, this.busy.get(subject) ?? 0);
    this.mostAtOnce = Math.max(
      this.mostAtOnce,
      [...this.busy.values()].reduce((sum, count) => sum + count, 0),
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    this.busy.set(subject, (this.busy.get(subject) ?? 0) - 1);
    if (this.registry.dangling(subject).length > 0) return { status: 1, stderr: "MANIFEST_BLOB_UNKNOWN" };
    const type = call.argv[call.argv.indexOf("--type") + 1];
    const attested = (["sbom", "provenance", "mirror"] as const).find((name) => cosignTypes[name] === type) ?? "mirror";
    const kind = call.argv[0] === "sign" ? "signature" : attested;
    const written = this.registry.attach(
      subject,
      kind,
      call.predicate === undefined ? {} : { predicate: call.predicate },
    );
    this.afterWrite(subject, kind, written);
    return {};
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
let tools: FakeTools;
let simulation: Simulation;

beforeEach(async () => {
  registry = await new AttestedRegistry(false).start();
  simulation = new Simulation(registry);
  tools = await new FakeTools(simulation.answer).start();
});
afterEach(async () => {
  await tools.stop();
  await registry.stop();
});

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
    builtNow: true,
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
    expect(tools.calls.filter(({ tool }) => tool === "syft")).toHaveLength(2);
  });

  it("starts no verification where nothing is listed, and verifies at the end", async () => {
    await attest();
    const commands = tools.calls.map(({ tool, argv }) => (tool === "syft" ? "syft" : argv[0]));
    const lastWrite = Math.max(commands.lastIndexOf("sign"), commands.lastIndexOf("attest"));
    expect(commands.findIndex((command) => command?.startsWith("verify"))).toBeGreaterThan(lastWrite);
    expect(commands.slice(lastWrite + 1).filter((command) => command === "verify")).toHaveLength(3);
  });

  it("lets one writer at a time at a digest, and several at different ones", async () => {
    await attest();
    expect(simulation.mostPerDigest).toBe(1);
    expect(simulation.mostAtOnce).toBeGreaterThan(1);
  });

  it("lets processes for versions that share digests take turns, and makes nothing twice", async () => {
    const ended = await Promise.all([attest(), attest()]);
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    expect(simulation.mostPerDigest).toBe(1);
    for (const digest of Object.values(registry.platforms)) expect(kinds(digest)).toEqual(["sbom", "signature"]);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("scans each platform by its digest and names it in its SBOM, on the platform and on the index", async () => {
    await attest();
    const scans = tools.calls.filter(({ tool }) => tool === "syft").map(({ argv }) => argv.slice(-3));
    const expected = Object.entries(registry.platforms).map(([platform, digest]) => [
      "--platform",
      platform,
      `registry:${registry.repository}@${digest}`,
    ]);
    expect(scans.toSorted()).toEqual(expected.toSorted());
    const names = registry
      .attached(registry.index)
      .flatMap(({ kind, predicate }) =>
        kind === "sbom" ? [(JSON.parse(predicate ?? "") as { name: string }).name] : [],
      );
    expect(names.toSorted()).toEqual(
      Object.entries(registry.platforms)
        .map(([platform, digest]) => `${registry.repository}@${digest} (${platform})`)
        .toSorted(),
    );
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

  it("writes again what another writer's list made disappear", async () => {
    let losses = 1;
    simulation.afterWrite = (subject, kind, written) => {
      if (kind === "provenance" && losses-- > 0) registry.lose(subject, written);
    };
    expect((await attest()).status).toBe(0);
    expect(kinds(registry.index)).toEqual(["mirror", "provenance", "sbom", "sbom", "signature"]);
  });

  it("gives up after a few tries when it is lost every time", async () => {
    simulation.afterWrite = (subject, kind, written) => {
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
    expect(writes().length).toBeLessThanOrEqual(9);
    expect(kinds(registry.index)).toEqual([]);
  });

  it("when a tool does not come to an end, which is killed", async () => {
    simulation.refuse = ({ argv }) => (argv[0] === "sign" ? (new Promise<never>(() => undefined) as never) : undefined);
    const limits = { cosignSeconds: 0.5, syftSeconds: 60, totalSeconds: 60 };
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

    expect(stderr.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
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
    registry.signer = await testCertificate();
    expect((await attest({ signing: keyless, environment: { SIGSTORE_ID_TOKEN: "canary-token-1" } })).status).toBe(0);
    for (const { argv } of writes()) expect(argv.join(" ")).toContain("--yes --fulcio-auth-flow token");
    const verify = tools.calls.find(({ argv }) => argv[0] === "verify")?.argv.join(" ");
    expect(verify).toContain(
      "--certificate-identity-regexp ^https://github\\.com/example/ --certificate-oidc-issuer https://token.actions.githubusercontent.com",
    );
  });
});
