import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { PublishedAppOutput } from "../../test/e2e/support/pulumiRun";
import { type CommandOptions, timedCommand, type TimedCommand } from "./timedCommand";

/** Stack configuration by key, without the project's name in front. */
export type StackSettings = Readonly<Record<string, unknown>>;

/** What a {@link BenchStack} is made from. */
export interface BenchStackOptions {
  readonly name: string;
  /** Folder of the program. */
  readonly program: string;
  readonly settings: StackSettings;
  readonly environment: NodeJS.ProcessEnv;
}

const defaults = {
  registry: "${MIRROR_SANDBOX_REGISTRY}",
  platforms: ["linux/amd64", "linux/arm64"],
  builder: "mirror",
  attest: "off",
};

/**
 * A stack of a program's copy. Its commands are those of production (`npm run reconcile`): no preview first, failures do not stop
 * the rest, unchanged inputs are not put to the provider.
 */
export class BenchStack {
  private settings: StackSettings;

  private constructor(private readonly options: BenchStackOptions) {
    this.settings = { ...defaults, ...options.settings };
  }

  get name(): string {
    return this.options.name;
  }

  /** Folder of the program. */
  get program(): string {
    return this.options.program;
  }

  static async create(options: BenchStackOptions): Promise<BenchStack> {
    const stack = new BenchStack(options);
    stack.configure({});
    await stack.pulumi(["stack", "init", options.name, "--no-select"], false);
    return stack;
  }

  /** Changes keys of the configuration. */
  configure(changes: StackSettings): void {
    this.settings = { ...this.settings, ...changes };
    const { program, name } = this.options;
    const file = join(program, `Pulumi.${name}.yaml`);
    const salt = /^encryptionsalt: .*$/m.exec(read(file))?.[0] ?? "";
    const config = Object.entries(this.settings).map(([key, value]) => [`multiarch-mirror:${key}`, value]);
    writeFileSync(file, `${salt}\n${stringify({ config: Object.fromEntries(config) as StackSettings })}`);
  }

  /** @throws Error with the output when something failed. */
  up(options: Partial<CommandOptions> = {}): Promise<TimedCommand> {
    return this.pulumi(["up", "--yes", "--skip-preview", "--continue-on-error", ...plain], true, options);
  }

  /** @throws Error with the output when something failed. */
  preview(options: Partial<CommandOptions> = {}): Promise<TimedCommand> {
    return this.pulumi(["preview", ...plain], true, options);
  }

  /**
   * `npm run reconcile` of the copy, less npm itself.
   * @param kept with the state of this stack; without, a run begins with none.
   * @throws Error with the output when something failed.
   */
  async reconcile(kept: boolean, options: Partial<CommandOptions> = {}): Promise<TimedCommand> {
    const { name, program, environment } = this.options;
    const { PULUMI_BACKEND_URL: state = "", ...others } = environment;
    const argv = ["node", "tools/run.cjs", "commands/reconcile.ts", "--stack", name];
    return timedCommand(kept ? [...argv, "--state", state] : argv, { cwd: program, env: others, ...options });
  }

  /** The output `published`. */
  async published(): Promise<Readonly<Record<string, PublishedAppOutput>>> {
    const { output } = await this.pulumi(["stack", "output", "published", "--json"]);
    return JSON.parse(output) as Readonly<Record<string, PublishedAppOutput>>;
  }

  /** The state, as `pulumi stack export` gives it. */
  async exportState(): Promise<unknown> {
    return JSON.parse((await this.pulumi(["stack", "export"])).output);
  }

  /** Puts another state in the place of this one. */
  async importState(state: unknown): Promise<void> {
    const file = join(this.options.program, `${this.options.name}.json`);
    writeFileSync(file, JSON.stringify(state));
    await this.pulumi(["stack", "import", "--file", file]);
  }

  private pulumi(argv: readonly string[], named = true, options: Partial<CommandOptions> = {}): Promise<TimedCommand> {
    const { name, program, environment } = this.options;
    const which = named ? ["--stack", name] : [];
    return timedCommand(["pulumi", ...argv, ...which, "--non-interactive"], {
      cwd: program,
      env: { ...environment, PULUMI_ENABLE_LEGACY_DIFF: "true" },
      ...options,
    });
  }
}

const plain = ["--color", "never"];

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
