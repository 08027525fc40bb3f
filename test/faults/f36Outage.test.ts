import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { FakeGithub } from "../commands/github/fakeGithub";
import { RegistryView } from "../e2e/support/registryView";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { WorkflowFork } from "../e2e/support/workflowRun";

const execute = promisify(execFile);

let folder: string;
let sandbox: Sandbox;
let github: FakeGithub;
let fork: WorkflowFork;
let registry: RegistryView;

beforeAll(async () => {
  folder = mkdtempSync("/tmp/outage-");
  github = await FakeGithub.start();
  sandbox = await startSandbox({ dir: join(folder, "sandbox"), builders: { "multiarch-mirror": [] } });
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
  fork = new WorkflowFork({
    folder,
    sandbox,
    apps: { tiny: tinyAppFile(sandbox, "tiny") },
    settings: {
      registry: sandbox.urls.registry,
      namespace: "forker",
      keep: 1,
      attest: { signing: { mode: "key", key: key("key"), publicKey: key("pub"), signingConfig: "none" } },
    },
    environment: github.environment,
    secrets: { GITHUB_TOKEN: "secret", REGISTRY_USER: "forker", REGISTRY_PASSWORD: "s3cret" },
  });
  registry = new RegistryView(`${sandbox.urls.registry}/forker`, environment());
}, 600_000);
afterAll(async () => {
  await sandbox.stop();
  await github.stop();
  await rm(folder, { recursive: true, force: true });
});

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, ...sandbox.env, COSIGN_PASSWORD: "" });
const key = (half: "key" | "pub"): string => join(folder, `late.${half}`);

/** The build records in the provenance of an image, which cosign has verified. */
async function signedRecords(digest: string): Promise<readonly { readonly run: object; readonly project?: object }[]> {
  const words = ["verify-attestation", "--key", key("pub"), "--insecure-ignore-tlog", "--type", "slsaprovenance1"];
  const options = { env: environment(), maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await execute("cosign", [...words, registry.name("tiny", digest)], options);
  const { payload } = JSON.parse(stdout.split("\n").find((line) => line.startsWith("{")) ?? "") as { payload: string };
  const statement = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    predicate: { runDetails: { byproducts: { content?: string }[] } };
  };
  return statement.predicate.runDetails.byproducts.flatMap(({ content }) =>
    content === undefined ? [] : [JSON.parse(Buffer.from(content, "base64").toString()) as { run: object }],
  );
}

it("F36 a run whose signing fails leaves its images to the next, which signs and tags them as what they are, and builds nothing", async () => {
  const outage = await fork.run({ event: "schedule", run: { id: 70, attempt: 1 } });
  expect(outage, outage.log).toMatchObject({ good: false, jobs: { Publish: false, "Build linux-amd64": true } });
  expect((await registry.tags("tiny")).filter((tag) => !tag.startsWith("sha256-"))).toEqual([]);
  expect(github.issues).toMatchObject([{ state: "open" }]);
  await execute("cosign", ["generate-key-pair", "--output-key-prefix", join(folder, "late")], { env: environment() });
  const next = await fork.run({ event: "schedule", run: { id: 71, attempt: 1 } });
  expect(next, next.log).toMatchObject({ good: true });
  expect(next.jobs).toEqual({ Plan: true, Publish: true });
  const { platforms } = await registry.index("tiny", "1.0.0");
  for (const digest of Object.values(platforms)) {
    const [record] = await signedRecords(digest);
    expect(record).toMatchObject({
      run: { invocationId: expect.stringContaining("/actions/runs/70/") as string },
      project: { repository: "https://github.com/acme/mirror" },
    });
  }
  expect(github.issues).toMatchObject([{ state: "closed" }]);
  const idle = await fork.run({ event: "schedule", run: { id: 72, attempt: 1 } });
  expect(idle.jobs, idle.log).toEqual({ Plan: true });
});
