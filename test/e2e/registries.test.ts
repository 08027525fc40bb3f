import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registryKinds } from "../../tools/sandbox/registry";
import { shortcomings } from "../faults/support/shortcomings";
import { signingByKey, verified } from "../faults/support/signedBundles";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { changesOf, errorsOf } from "./support/pulumiRun";
import { tinyApp, tinyAppFile, tinyUpstream } from "./support/tinyUpstream";

const execute = promisify(execFile);

/** Over TLS, with a password, on a name that is not this machine's: as a registry elsewhere is used. */
const elsewhere = {
  registryName: "registry.example.test",
  authentication: { mode: "token", user: "mirror", password: "correct horse" },
} as const;

describe.each(registryKinds)("a whole life of a version in the registry %s", (registry) => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      sandbox: { registry, ...elsewhere },
      apps: tinyApp("1.0.0"),
    });
    mirror.configure({ attest: signingByKey(mirror) });
  });
  afterAll(() => mirror?.stop());

  const complete = async (): Promise<void> => {
    expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
    expect(await mirror.registry.digest("tiny", "latest")).toBe(await mirror.registry.digest("tiny", "1.0.0"));
  };

  it("is previewed and published, and a second run changes nothing", async () => {
    const preview = await mirror.preview();
    expect(preview.output).toMatch(/1\.0\.0 +missing +will build +will build/);
    expect(mirror.writes()).toEqual([]);
    expect(errorsOf(await mirror.up())).toBe("");
    await complete();
    mirror.mark();
    const again = await mirror.up();
    expect([again.exitCode, changesOf(again), mirror.writes()]).toEqual([0, [], []]);
  });

  it("is adopted when the state is lost, without a write", async () => {
    await mirror.loseState();
    mirror.mark();
    const up = await mirror.up();
    expect([up.exitCode, changesOf(up), mirror.writes()]).toEqual([0, [], []]);
  });

  it("gets back a lost platform and a lost signature, and nothing else", async () => {
    const before = await mirror.registry.index("tiny", "1.0.0");
    const { "linux/amd64": kept = "", "linux/arm64": lost = "" } = before.platforms;
    await mirror.registry.deleteManifest("tiny", await signatureOf(mirror, kept));
    expect(await verified(mirror, "tiny", kept)).not.toContain("signature");
    await mirror.registry.deleteManifest("tiny", lost);
    await mirror.pruneBuilder();
    expect(errorsOf(await mirror.up())).toBe("");
    const after = await mirror.registry.index("tiny", "1.0.0");
    expect(after.platforms["linux/amd64"]).toBe(kept);
    expect(after.platforms["linux/arm64"]).not.toBe(lost);
    await complete();
  });

  it("is verified by who pulls it, and outlives the stack", async () => {
    const name = mirror.registry.name("tiny", "1.0.0");
    const key = mirror.sandbox.env["MIRROR_SANDBOX_COSIGN_PUB"] ?? "";
    const words = ["tools/run.cjs", "commands/verify.ts", name, "--key", key, "--ignore-tlog"];
    expect((await execute("node", words, { env: mirror.environment() })).stdout).toMatch(/^✓ verified$/m);
    mirror.mark();
    expect((await mirror.destroy()).exitCode).toBe(0);
    expect(mirror.writes()).toEqual([]);
    await mirror.registry.pull("tiny", "1.0.0");
  });

  it("is completed where a Docker manifest list holds one of its platforms", async () => {
    await tinyUpstream(mirror.sandbox, "old", [{ version: "1.0.0" }]);
    mirror.setApps({ old: tinyAppFile(mirror.sandbox, "old") });
    mirror.configure({ attest: "off", platforms: ["linux/amd64"] });
    expect(errorsOf(await mirror.up())).toBe("");
    await mirror.registry.regctl("image", "mod", "--replace", "--to-docker", mirror.registry.name("old", "1.0.0"));
    const before = await mirror.registry.index("old", "1.0.0");
    expect(await mirror.registry.raw("old", "1.0.0")).toContain("vnd.docker.distribution.manifest.list.v2+json");
    await mirror.loseState();
    mirror.configure({ platforms: ["linux/amd64", "linux/arm64"] });
    expect(errorsOf(await mirror.up())).toBe("");
    const { platforms } = await mirror.registry.index("old", "1.0.0");
    expect(Object.keys(platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
    expect(platforms).toMatchObject(before.platforms);
    await mirror.registry.pull("old", "1.0.0");
  });
});

/** The digest of the signature attached to a manifest, as another client finds it. */
async function signatureOf(mirror: MirrorUnderTest, digest: string): Promise<string> {
  const format = "{{range .Descriptors}}{{println .Digest}}{{end}}";
  const listed = await mirror.registry.regctl(
    "artifact",
    "list",
    "--format",
    format,
    mirror.registry.name("tiny", digest),
  );
  for (const referrer of listed.split(/\s+/)) {
    if (/sigstore\.dev\/cosign\/sign\//.test(await mirror.registry.raw("tiny", referrer))) return referrer;
  }
  throw new Error(`nobody signed ${digest}`);
}
