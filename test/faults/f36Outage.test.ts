import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PrivateSigstore } from "../../tools/sigstore/sigstore";
import { smallFork } from "../e2e/support/forkFiles";
import { ForkSite } from "../e2e/support/forkSite";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import type { RegistryView } from "../e2e/support/registryView";
import type { WorkflowFork } from "../e2e/support/workflowRun";
import { attested } from "./support/signedBundles";

let site: ForkSite;
let sigstore: PrivateSigstore;
let fork: WorkflowFork;
let registry: RegistryView;

beforeAll(async () => {
  site = await ForkSite.start();
  const { sandbox, folder } = site;
  sigstore = await PrivateSigstore.start(join(folder, "sigstore"));
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
  const { signingConfig, trustedRoot, issuer } = sigstore;
  const attest = { signing: { mode: "keyless", issuer: issuer.url, signingConfig, trustedRoot }, sbom: false };
  const stacks = { prod: { ...site.settings, keep: 1, attest } };
  const told = ["GITHUB_WORKFLOW_REF", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  fork = site.fork(
    smallFork({ apps: { tiny: tinyAppFile(sandbox, "tiny") }, stacks }),
    Object.fromEntries(told.map((name) => [name, issuer.environment[name] ?? ""])),
  );
  registry = site.registry();
}, 600_000);
afterAll(async () => {
  await sigstore?.stop();
  await site?.stop();
});

it("F36 what GitHub's build jobs made while nothing could be signed is signed and tagged by a later run, which builds nothing", async () => {
  await sigstore.down("timestamp-server");
  const outage = await fork.run({ event: "schedule", run: { id: 1, attempt: 1 } });
  await sigstore.up("timestamp-server");
  expect(outage, outage.log).toMatchObject({ good: false, jobs: { Plan: true, Publish: false } });
  expect(outage.jobs).toMatchObject({ "Build linux-amd64": true, "Build linux-arm64": true });
  expect(outage.log).toMatch(/1\.0\.0: unsigned linux\/amd64, .*: cosign sign/);
  expect((await registry.tags("tiny")).filter((tag) => /^\d|latest/.test(tag))).toEqual([]);

  const later = await fork.run({ event: "schedule", run: { id: 2, attempt: 1 } });
  expect(later, later.log).toMatchObject({ good: true });
  expect(later.jobs).toEqual({ Plan: true, Publish: true });
  const { digest, platforms } = await registry.index("tiny", "1.0.0");
  const verify = ["--trusted-root", sigstore.trustedRoot, "--use-signed-timestamps"];
  const identity = "https://github.com/acme/mirror/.github/workflows/mirror.yml@refs/heads/main";
  const signer = ["--certificate-identity", identity, "--certificate-oidc-issuer", sigstore.issuer.url];
  for (const each of [digest, ...Object.values(platforms)]) {
    const found = await attested(registry.name("tiny", each), [...verify, ...signer], {
      ...process.env,
      ...site.sandbox.env,
    });
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).toContain("https://github.com/acme/mirror/actions/runs/1/attempts/1");
  }
  const third = await fork.run({ event: "schedule", run: { id: 3, attempt: 1 } });
  expect(third, third.log).toMatchObject({ good: true, jobs: { Plan: true } });
  expect(Object.keys(third.jobs)).toEqual(["Plan"]);
});
