import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { copyProgram } from "../../test/e2e/support/programCopy";
import { RegistryView } from "../../test/e2e/support/registryView";
import type { AuthenticationOptions } from "../../tools/sandbox/authentication";
import type { LoggedRequest } from "../../tools/sandbox/requestLog";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { BenchStack, type StackSettings } from "./benchStack";
import { type CommandOptions, timedCommand, type TimedCommand } from "./timedCommand";

/**
 * The sandbox all benchmarks share, and the copies of the program they run. Registry requests are delayed only within
 * {@link delayed}, so that preparing and checking cost no more than they must.
 */
export class Workshop {
  private copies = 0;
  private stacks = 0;

  private constructor(
    readonly sandbox: Sandbox,
    readonly folder: string,
    private readonly authentication?: AuthenticationOptions,
  ) {}

  /** Of the registry, as regclient's tools want them; none where everybody may do everything. */
  get credentials(): { readonly user?: string; readonly pass?: string } {
    return this.authentication ? { user: this.authentication.user, pass: this.authentication.password } : {};
  }

  /** @param authentication how the registry authenticates its clients; everybody may do everything when it is left out. */
  static async open(progress: (line: string) => void, authentication?: AuthenticationOptions): Promise<Workshop> {
    // Unix sockets lie in it, whose paths must be short.
    const folder = mkdtempSync("/tmp/bench-");
    try {
      const options = { dir: join(folder, "sandbox"), progress, ...(authentication && { authentication }) };
      return new Workshop(await startSandbox(options), folder, authentication);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Environment of every command, ours and theirs. */
  get environment(): NodeJS.ProcessEnv {
    const { sandbox, folder } = this;
    // Builds push nothing but the images, like ours.
    const buildx = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };
    return { ...process.env, ...sandbox.env, ...buildx, MIRROR_CACHE: join(folder, "cache"), HOME: folder };
  }

  /** A copy of the program with these files in `apps/`. @returns its folder. */
  program(apps: Readonly<Record<string, string>>): string {
    const folder = join(this.folder, `program-${(this.copies += 1)}`);
    copyProgram(folder, apps, { commands: true });
    return folder;
  }

  /** A stack without state. */
  stack(program: string, settings: StackSettings): Promise<BenchStack> {
    const name = `bench${(this.stacks += 1)}`;
    return BenchStack.create({ name, program, settings, environment: this.environment });
  }

  /** What another client sees in a namespace. */
  registry(namespace: string): RegistryView {
    return new RegistryView(`${this.sandbox.urls.registry}/${namespace}`, this.environment);
  }

  /** Runs a command in the workshop's folder. */
  run(argv: readonly string[], options: Partial<CommandOptions> = {}): Promise<TimedCommand> {
    return timedCommand(argv, { cwd: this.folder, env: this.environment, ...options });
  }

  /** Does something while each registry request takes longer. */
  async delayed<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
    this.sandbox.setLatency(milliseconds);
    try {
      return await work();
    } finally {
      this.sandbox.setLatency(0);
    }
  }

  /** Does something and gives the registry requests made meanwhile. */
  async requests(work: () => Promise<unknown>): Promise<readonly LoggedRequest[]> {
    const before = this.sandbox.requestLog("registry").length;
    await work();
    return this.sandbox.requestLog("registry").slice(before);
  }

  /** Forgets every layer the builder has. */
  async prune(): Promise<void> {
    await this.run(["buildx", "prune", "--builder", "mirror", "--all", "--force"]);
  }

  /** Forgets what images say of themselves, as a machine does that never ran the mirror. */
  async forgetImages(): Promise<void> {
    await rm(join(this.folder, "cache", "images"), { recursive: true, force: true });
  }

  /** Ends everything and removes all files. */
  async close(): Promise<void> {
    await this.sandbox.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
