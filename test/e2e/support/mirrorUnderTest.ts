import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { LoggedRequest } from "../../../tools/sandbox/requestLog";
import type { SandboxPart } from "../../../tools/sandbox/faultRule";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import type { SandboxOptions } from "../../../tools/sandbox/sandboxOptions";
import { startSandbox } from "../../../tools/sandbox/startSandbox";
import { type Entry, keepingEvents, readSaid, reconcileCommand, usualEntry } from "./entry";
import { copyProgram, writeApps } from "./programCopy";
import { type Outputs, type PulumiRun, readEvents } from "./pulumiRun";
import { RegistryView } from "./registryView";

const execute = promisify(execFile);

/** Far beyond what any run takes: a run that hangs is to fail the test, not to stop the machine. */
const limitMs = 540_000;

/** How a {@link MirrorUnderTest} is set up. */
export interface MirrorOptions {
  /** Passed on; `dir` is chosen here. */
  readonly sandbox?: Omit<SandboxOptions, "dir">;
  /** Text of the files in `apps/`, by the name of their export; made once the sandbox runs. */
  readonly apps: (sandbox: Sandbox) => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** Keys of the stack configuration, without the project's name; added to the defaults below. */
  readonly settings?: Settings;
  /** What its runs are started through, unless they say; else {@link usualEntry}. */
  readonly through?: Entry;
}

/** Stack configuration by key, without the project's name in front. */
export type Settings = Readonly<Record<string, unknown>>;

/** How one command is run. */
export interface CommandOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What starts it; else what the mirror is set up with. */
  readonly through?: Entry;
}

/** A command that is under way. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<PulumiRun>;
}

/**
 * A sandbox and a stack of its own: a copy of the program with the apps of the test, a state folder, a configuration file.
 * Nothing of it is in the checkout; `stop` ends all processes and removes all files.
 */
export class MirrorUnderTest {
  readonly registry: RegistryView;
  private settings: Settings;
  private marks: Partial<Record<SandboxPart, number>> = {};
  private runs = 0;

  private constructor(
    readonly sandbox: Sandbox,
    /** The copy of the program. */
    readonly program: string,
    private readonly folder: string,
    settings: Settings,
    private readonly through: Entry,
  ) {
    const namespace = "mirror";
    this.settings = {
      registry: "${MIRROR_SANDBOX_REGISTRY}",
      namespace,
      platforms: ["linux/amd64", "linux/arm64"],
      keep: 3,
      builder: "mirror",
      attest: "off",
      ...settings,
    };
    this.registry = new RegistryView(`${sandbox.urls.registry}/${namespace}`, this.environment());
  }

  static async start({
    sandbox: options,
    apps,
    settings = {},
    through = usualEntry(),
  }: MirrorOptions): Promise<MirrorUnderTest> {
    // Unix sockets lie in it, whose paths must be short.
    const folder = mkdtempSync("/tmp/mirror-");
    const sandbox = await startSandbox({ ...options, dir: join(folder, "sandbox") });
    try {
      const program = join(folder, "program");
      copyProgram(program, await apps(sandbox));
      const mirror = new MirrorUnderTest(sandbox, program, folder, settings, through);
      mirror.configure({});
      await mirror.initialise();
      return mirror;
    } catch (error) {
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Changes keys of the stack configuration; undefined takes one out. */
  configure(changes: Settings): void {
    this.settings = { ...this.settings, ...changes };
    const entries = Object.entries(this.settings).filter(([, value]) => value !== undefined);
    const config = Object.fromEntries(entries.map(([key, value]) => [`multiarch-mirror:${key}`, value]));
    const salt = /^encryptionsalt: .*$/m.exec(this.read(this.configFile))?.[0] ?? "";
    writeFileSync(this.configFile, `${salt}\n${stringify({ config })}`);
  }

  /** Replaces the app files. */
  setApps(apps: Readonly<Record<string, string>>): void {
    writeApps(this.program, apps);
  }

  preview(options?: CommandOptions): Promise<PulumiRun> {
    return this.start("preview", options).ended;
  }

  /** One `pulumi up` as in production: no preview first, and failures do not stop the rest. */
  up(options?: CommandOptions): Promise<PulumiRun> {
    return this.start("up", options).ended;
  }

  destroy(options?: CommandOptions): Promise<PulumiRun> {
    return this.start("destroy", options).ended;
  }

  /** Starts a command without waiting for it, for tests that interrupt it. */
  start(
    command: "preview" | "up" | "destroy",
    { args = [], environment = {}, through = this.through }: CommandOptions = {},
  ): RunningCommand {
    const events = join(this.folder, `events-${(this.runs += 1)}.json`);
    const reconciled = through === "reconcile" && command !== "destroy";
    const [program = "", ...words] = reconciled
      ? reconcileCommand(command, this.program)
      : this.pulumiCommand(command, events);
    // The event log is one of the CLI's debugging aids; the environment variable uncovers them.
    const usual = this.environment({ PULUMI_DEBUG_COMMANDS: "true", ...environment });
    const child = spawn(program, [...words, ...args], {
      cwd: this.program,
      env: reconciled ? keepingEvents(events, usual) : usual,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
      killSignal: "SIGKILL",
    });
    return { child, ended: this.end(child, events) };
  }

  /** Ends an update that was killed, as the file backend asks for. */
  async cancel(): Promise<void> {
    await this.pulumi("cancel", "--yes");
  }

  /** The deployment as `pulumi stack export` gives it. */
  async exportState(): Promise<{ readonly resources: readonly ExportedResource[] }> {
    const { deployment } = JSON.parse(await this.pulumi("stack", "export")) as {
      deployment: { resources?: readonly ExportedResource[] };
    };
    return { resources: deployment.resources ?? [] };
  }

  /** Puts back a deployment as `pulumi stack export` printed it. */
  async importState(exported: string): Promise<void> {
    const file = join(this.folder, "exported.json");
    writeFileSync(file, exported);
    await this.pulumi("stack", "import", "--file", file);
  }

  /** Throws the whole state away, as a runner does that keeps none. */
  async loseState(): Promise<void> {
    await rm(join(this.sandbox.folder, "pulumi", ".pulumi"), { recursive: true });
    await this.initialise();
  }

  /** Lets {@link requestLog} and {@link writes} begin here. */
  mark(): void {
    for (const part of ["registry", "git", "releases", "files"] as const)
      this.marks = { ...this.marks, [part]: this.sandbox.requestLog(part).length };
  }

  /** Requests to a part since the last {@link mark}. */
  requestLog(part: SandboxPart = "registry"): readonly LoggedRequest[] {
    return this.sandbox.requestLog(part).slice(this.marks[part] ?? 0);
  }

  registryLog(): readonly LoggedRequest[] {
    return this.requestLog("registry");
  }

  /**
   * Requests since the last {@link mark} that could have changed the registry, as `METHOD path`; not the beginning and giving up of
   * an upload, by which a run learns whether it may write.
   */
  writes(): readonly string[] {
    return this.registryLog()
      .filter(({ method }) => !["GET", "HEAD"].includes(method))
      .map(({ method, path }) => `${method} ${path}`)
      .filter((write) => !/^(?:POST \S+\/blobs\/uploads\/$|DELETE \S+\/blobs\/uploads\/)/.test(write));
  }

  /** Empties a builder's cache, so that what it builds next has other digests than before. */
  async pruneBuilder(name = "mirror"): Promise<void> {
    const args = ["prune", "--builder", name, "--all", "--force"];
    await execute("buildx", args, { env: this.environment(), timeout: limitMs });
  }

  /** Ends everything and removes all files. */
  async stop(): Promise<void> {
    await this.sandbox.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The environment commands run in. */
  environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return { ...process.env, ...this.sandbox.env, MIRROR_CACHE: join(this.folder, "cache"), ...more };
  }

  /** Standard output of any Pulumi command on the stack. @throws Error with its messages. */
  async pulumi(...args: readonly string[]): Promise<string> {
    const { stdout } = await execute("pulumi", [...args, ...this.stackArguments()], {
      cwd: this.program,
      env: this.environment(),
      timeout: limitMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  private async initialise(): Promise<void> {
    mkdirSync(join(this.sandbox.folder, "pulumi"), { recursive: true });
    await execute("pulumi", ["stack", "init", "test", "--no-select", "--non-interactive"], {
      cwd: this.program,
      env: this.environment(),
      timeout: limitMs,
    });
  }

  private async end(child: ChildProcess, events: string): Promise<PulumiRun> {
    let output = "";
    const append = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout?.on("data", append);
    child.stderr?.on("data", append);
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    const { text, messages } = readSaid(output);
    const said = messages.map(({ severity, text: message }) => ({ severity, name: "", message }));
    const { steps, diagnostics } = readEvents(events) ?? { steps: [], diagnostics: said };
    return { exitCode, output: text, steps, diagnostics, outputs: await this.outputs() };
  }

  private async outputs(): Promise<Outputs> {
    return JSON.parse(await this.pulumi("stack", "output", "--json")) as Outputs;
  }

  private pulumiCommand(command: "preview" | "up" | "destroy", events: string): readonly string[] {
    const usual = command === "preview" ? [] : ["--yes", "--skip-preview", "--continue-on-error"];
    return ["pulumi", command, ...this.stackArguments(), ...usual, "--color", "never", "--event-log", events];
  }

  private stackArguments(): readonly string[] {
    return ["--stack", "test", "--non-interactive"];
  }

  private get configFile(): string {
    return join(this.program, "Pulumi.test.yaml");
  }

  private read(file: string): string {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  }
}

/** One resource of an exported deployment. */
export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly retainOnDelete?: boolean;
  /** URN and id of its provider, with `::` between. */
  readonly provider?: string;
  readonly ignoreChanges?: readonly string[];
}
