import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { startSandbox } from "../../../tools/sandbox/startSandbox";
import { FakeGithub } from "../../commands/github/fakeGithub";
import type { Settings } from "./mirrorUnderTest";
import { RegistryView } from "./registryView";
import { type ForkOptions, WorkflowFork } from "./workflowRun";

const password = "s3cret";

/** Where a fork's workflows run: a folder, a sandbox whose registry asks who is there, and a stand-in of GitHub. */
export class ForkSite {
  private constructor(
    readonly folder: string,
    readonly github: FakeGithub,
    readonly sandbox: Sandbox,
    private readonly user: string,
  ) {}

  /** @param repository of the fork, by default `acme/mirror`. @param user of the registry. */
  static async start({ repository = "acme/mirror", user = "forker" } = {}): Promise<ForkSite> {
    const folder = mkdtempSync("/tmp/workflows-");
    const github = await FakeGithub.start(repository);
    const sandbox = await startSandbox({
      dir: join(folder, "sandbox"),
      builders: { "multiarch-mirror": [] },
      authentication: { mode: "token", user, password },
    });
    return new ForkSite(folder, github, sandbox, user);
  }

  /** What the stacks of most forks have in common. */
  get settings(): Settings {
    return { registry: this.sandbox.urls.registry, namespace: "forker", attest: "off" };
  }

  /** Makes the fork. @param write its files. */
  fork(write: ForkOptions["write"], told: ForkOptions["told"] = {}): WorkflowFork {
    const { folder, sandbox, github } = this;
    const { environment, repository } = github;
    const secrets = { GITHUB_TOKEN: "secret", REGISTRY_USER: this.user, REGISTRY_PASSWORD: password };
    return new WorkflowFork({ folder, sandbox, repository, write, environment, told, secrets });
  }

  /** What is in a namespace of the registry. */
  registry(namespace = "forker"): RegistryView {
    return new RegistryView(`${this.sandbox.urls.registry}/${namespace}`, { ...process.env, ...this.sandbox.env });
  }

  /** Ends everything and removes all files. */
  async stop(): Promise<void> {
    await this.sandbox.stop();
    await this.github.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
