import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PrivateSigstore, services } from "../../tools/sigstore/sigstore";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { attested } from "./support/signedBundles";
import { Watch } from "./support/watch";

let folder: string;
let sigstore: PrivateSigstore;
let mirror: MirrorUnderTest;
let runs = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "services-"));
  sigstore = await PrivateSigstore.start(join(folder, "sigstore"));
  const { signingConfig, trustedRoot } = sigstore;
  mirror = await MirrorUnderTest.start({
    apps: tinyApp("1.0.0"),
    settings: {
      keep: 1,
      attest: { signing: { mode: "keyless", issuer: sigstore.issuer.url, signingConfig, trustedRoot }, sbom: false },
    },
  });
});
afterAll(async () => {
  await mirror?.stop();
  await sigstore?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Each as a run of its own. */
const up = (): Promise<PulumiRun> =>
  mirror.up({ environment: { ...sigstore.issuer.environment, GITHUB_RUN_ID: String((runs += 1)) } });

it("F36 with each signing service down in turn nothing is half done, and one later run completes it with the provenance of its build", async () => {
  const watch = await Watch.begin(mirror);
  for (const service of services) {
    await sigstore.down(service);
    const run = await up();
    await sigstore.up(service);
    expect(run.exitCode, run.output).not.toBe(0);
    expect(errorsOf(run), service).toMatch(/tiny 1\.0\.0 is not written: .*cosign (sign|attest)/);
    expect((await mirror.registry.tags("tiny")).filter((tag) => !tag.startsWith("sha256-"))).toEqual([]);
  }
  expect(errorsOf(await up())).toBe("");
  expect(watch.tagWrites("tiny", "1.0.0")).toBe(1);
  const { digest, platforms } = await mirror.registry.index("tiny", "1.0.0");
  const verify = ["--trusted-root", sigstore.trustedRoot, "--use-signed-timestamps"];
  const signer = ["--certificate-identity-regexp", "^https://github.com/acme/mirror/"];
  const issuer = ["--certificate-oidc-issuer", sigstore.issuer.url];
  for (const each of [digest, ...Object.values(platforms)]) {
    const found = await attested(
      mirror.registry.name("tiny", each),
      [...verify, ...signer, ...issuer],
      mirror.environment(),
    );
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).toContain("https://github.com/acme/mirror/actions/runs/1/attempts/2");
  }
});

it("F36 services that fail now and then only take longer: one run completes a version", async () => {
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  sigstore.issuer.changes = { status: 503, every: 3 };
  const run = await up();
  expect(errorsOf(run)).toBe("");
  expect(run.exitCode, run.output).toBe(0);
  const { platforms } = await mirror.registry.index("tiny", "1.1.0");
  expect(Object.keys(platforms)).toHaveLength(2);
});
