import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { FakeGithub } from "../commands/github/fakeGithub";
import { actions } from "../workflows/actions";
import { RegistryView } from "./support/registryView";
import { tinyAppFile, tinyUpstream } from "./support/tinyUpstream";
import { smallFork, stackConfig } from "./support/forkFiles";
import { WorkflowFork } from "./support/workflowRun";

const execute = promisify(execFile);
/** The commit by which the workflow names the project. */
const commit = "c".repeat(40);
let folder: string;
let sandbox: Sandbox;
let github: FakeGithub;
let fork: WorkflowFork;
let registry: RegistryView;
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, ...sandbox.env, COSIGN_PASSWORD: "" });
const key = (half: "key" | "pub"): string => join(folder, `caller.${half}`);

/** The workflow docs/operations.md gives a repository that is no fork, with the sandbox in the place of GitHub's registry and of QEMU. */
function documentedWorkflow(): string {
  const page = readFileSync("docs/operations.md", "utf8").split("### From another repository")[1] ?? "";
  const [section = ""] = page.split("\n## ");
  const lines = section.split("\n").filter((line) => line.startsWith("    "));
  const login = `docker/login-action@${actions["docker/login-action"]?.commit ?? ""}`;
  return lines
    .map((line) => line.slice(4))
    .join("\n")
    .replace("OWNER/multiarch-mirror@COMMIT", `acme/mirror@${commit}`)
    .replace("docker/login-action@v4", login)
    .replace("registry: ghcr.io", 'registry: "${{ vars.REGISTRY }}"')
    .replace(", emulate: linux/arm64", "");
}

beforeAll(async () => {
  folder = mkdtempSync("/tmp/action-");
  github = await FakeGithub.start();
  sandbox = await startSandbox({ dir: join(folder, "sandbox"), builders: { "multiarch-mirror": [] } });
  await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
  await execute("cosign", ["generate-key-pair", "--output-key-prefix", join(folder, "caller")], { env: environment() });
  const project = join(folder, "mirror");
  smallFork({ apps: { tiny: tinyAppFile(sandbox, "tiny") }, stacks: {} })(project);
  const config = stackConfig({
    registry: sandbox.urls.registry,
    namespace: "caller",
    keep: 1,
    attest: { signing: { mode: "key", key: key("key"), publicKey: key("pub"), signingConfig: "none" } },
  });
  fork = new WorkflowFork({
    folder,
    sandbox,
    repository: "caller/app",
    write: (files) => {
      mkdirSync(join(files, ".github", "workflows"), { recursive: true });
      writeFileSync(join(files, ".github", "workflows", "mirror.yml"), documentedWorkflow());
      writeFileSync(join(files, "Pulumi.prod.yaml"), stringify({ config }));
    },
    environment: github.environment,
    secrets: { GITHUB_TOKEN: "secret" },
    actions: { [`acme/mirror@${commit}`]: project },
  });
  registry = new RegistryView(`${sandbox.urls.registry}/caller`, environment());
}, 600_000);
afterAll(async () => {
  await sandbox.stop();
  await github.stop();
  await rm(folder, { recursive: true, force: true });
});

it("mirrors for a repository that has nothing but the documented workflow and a stack configuration", async () => {
  const run = await fork.run({ event: "workflow_dispatch" });
  expect(run, run.log).toMatchObject({ good: true });
  expect((await registry.tags("tiny")).filter((tag) => !tag.startsWith("sha256-"))).toEqual(["1.0.0", "latest"]);
  const { digest } = await registry.index("tiny", "1.0.0");
  const how = ["--key", key("pub"), "--insecure-ignore-tlog", registry.name("tiny", digest)];
  await execute("cosign", ["verify", ...how], { env: environment() });
});
