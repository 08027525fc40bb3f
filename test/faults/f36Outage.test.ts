import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { PrivateSigstore } from "../../tools/sigstore/sigstore";
import { FakeGithub } from "../commands/github/fakeGithub";
import { smallFork } from "../e2e/support/forkFiles";
import { RegistryView } from "../e2e/support/registryView";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { WorkflowFork } from "../e2e/support/workflowRun";
import { attested } from "./support/signedBundles";

const account = { user: "forker", password: "s3cret" };
let folder: string;
let sandbox: Sandbox;
let github: FakeGithub;
let sigstore: PrivateSigstore;
let fork: WorkflowFork;
let registry: RegistryView;
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, ...sandbox.env });

beforeAll(async () => {
  folder = mkdtempSync("/tmp/outage-");
  sigstore = await PrivateSigstore.start(join(folder, "sigstore"));
  github = await FakeGithub.start();
  sandbox = await startSandbox({
    dir: join(folder, "sandbox"),
    builders: { "multiarch-mirror": [] },
    authentication: { mode: "token", ...account },
  });
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
  const { signingConfig, trustedRoot, issuer } = sigstore;
  const told = ["GITHUB_WORKFLOW_REF", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  const settings = {
    registry: sandbox.urls.registry,
    namespace: "forker",
    keep: 1,
    attest: { signing: { mode: "keyless", issuer: issuer.url, signingConfig, trustedRoot }, sbom: false },
  };
  fork = new WorkflowFork({
    folder,
    sandbox,
    write: smallFork({ apps: { tiny: tinyAppFile(sandbox, "tiny") }, stacks: { prod: settings } }),
    environment: github.environment,
    told: Object.fromEntries(told.map((name) => [name, issuer.environment[name] ?? ""])),
    secrets: { GITHUB_TOKEN: "secret", REGISTRY_USER: account.user, REGISTRY_PASSWORD: account.password },
  });
  registry = new RegistryView(`${sandbox.urls.registry}/forker`, environment());
}, 600_000);
afterAll(async () => {
  await sandbox?.stop();
  await github?.stop();
  await sigstore?.stop();
  await rm(folder, { recursive: true, force: true });
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
    const found = await attested(registry.name("tiny", each), [...verify, ...signer], environment());
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).toContain("https://github.com/acme/mirror/actions/runs/1/attempts/1");
  }
  const third = await fork.run({ event: "schedule", run: { id: 3, attempt: 1 } });
  expect(third, third.log).toMatchObject({ good: true, jobs: { Plan: true } });
  expect(Object.keys(third.jobs)).toEqual(["Plan"]);
});
