import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Builder } from "./builder";
import type { Environment } from "./environment";
import type { FaultRule, SandboxPart } from "./faultRule";
import type { FaultRules, FaultRuleStatus } from "./faultRules";
import type { Fronts } from "./fronts";
import { writeGitRepository, type GitCommit } from "./gitRepository";
import type { Layout } from "./layout";
import type { RegistryProcess } from "./registry";
import type { FixtureRelease } from "./releaseApi";
import { RequestLog, type LoggedRequest } from "./requestLog";

/** The running parts a sandbox is made of; `startSandbox` puts them together. */
export interface SandboxPieces {
  readonly layout: Layout;
  readonly env: Environment;
  readonly rules: FaultRules;
  readonly fronts: Fronts;
  readonly registry: RegistryProcess;
  /** As references name it. */
  readonly registryName: string;
  readonly restartRegistry: () => Promise<RegistryProcess>;
  readonly builders: ReadonlyMap<string, Builder>;
  readonly restartBuilder: (name: string) => Promise<Builder>;
  /** Ends everything. */
  readonly end: () => Promise<void>;
}

/** Names of fixture repositories and files: relative, no hidden folders, nothing a URL would have to escape. */
const safePath = /^[A-Za-z0-9_][\w.@+-]*(?:\/[A-Za-z0-9_@][\w.@+-]*)*$/;

/** A running sandbox. All its parts end with the process that started it, and with `stop`. */
export class Sandbox {
  private registry: RegistryProcess;
  private readonly builders: Map<string, Builder>;
  private stopping: Promise<void> | undefined;

  constructor(private readonly pieces: SandboxPieces) {
    this.registry = pieces.registry;
    this.builders = new Map(pieces.builders);
  }

  /** Folder of all its state. */
  get folder(): string {
    return this.pieces.layout.folder;
  }

  /** What a child process needs to use it; merge over `process.env`. */
  get env(): Environment {
    return this.pieces.env;
  }

  /** The registry as references name it, `localhost:PORT` unless it has a name; base URLs (no slash at the end) of the others. */
  get urls(): Readonly<Record<SandboxPart, string>> {
    const { git, releases, files } = this.pieces.fronts.ports;
    const url = (port: number): string => `http://localhost:${port}`;
    return { registry: this.pieces.registryName, git: url(git), releases: url(releases), files: url(files) };
  }

  /** Replaces the fault rules; their counters begin at zero. */
  setRules(rules: readonly FaultRule[]): void {
    this.pieces.rules.set(rules);
  }

  clearRules(): void {
    this.pieces.rules.set([]);
  }

  /** The rules in force and how often each matched and acted. */
  ruleStatus(): readonly FaultRuleStatus[] {
    return this.pieces.rules.status();
  }

  /** Milliseconds added before every request to the registry. */
  setLatency(milliseconds: number): void {
    this.pieces.fronts.latencyMs = milliseconds;
  }

  /** All requests to a part since the folder was made, oldest first. */
  requestLog(part: SandboxPart = "registry"): readonly LoggedRequest[] {
    return RequestLog.read(this.pieces.layout.requestLog(part));
  }

  /**
   * Adds commits and tags to the repository of that name (`app`, `owner/app`), which is made when it is not there.
   * @returns its URL and the hashes of the commits.
   */
  async createGitRepository(
    name: string,
    commits: readonly GitCommit[],
  ): Promise<{ url: string; commits: readonly string[] }> {
    const path = `${checked("repository", name)}.git`;
    return {
      url: `${this.urls.git}/${path}`,
      commits: await writeGitRepository(join(this.pieces.layout.repositories, path), commits),
    };
  }

  /** Copies a bare repository in under a name, unless there is one of that name. @returns its URL. */
  importGitRepository(name: string, folder: string): string {
    const path = `${checked("repository", name)}.git`;
    const target = join(this.pieces.layout.repositories, path);
    if (!existsSync(target)) cpSync(folder, target, { recursive: true });
    return `${this.urls.git}/${path}`;
  }

  /** Sets what the release API lists for `owner/name`, in the order given. */
  setReleases(repository: string, releases: readonly FixtureRelease[]): void {
    put(join(this.pieces.layout.releases, `${checked("repository", repository)}.json`), JSON.stringify(releases));
  }

  /** Offers a file at the file server. @returns its URL. */
  putFile(path: string, content: string | Uint8Array): string {
    put(join(this.pieces.layout.files, checked("file", path)), content);
    return `${this.urls.files}/${path}`;
  }

  /** Ends the registry; its port refuses connections. */
  async stopRegistry(): Promise<void> {
    await this.pieces.fronts.shut("registry");
    await this.registry.stop();
  }

  /** Starts the registry again, same port, same content. */
  async startRegistry(): Promise<void> {
    this.registry = await this.pieces.restartRegistry();
    await this.pieces.fronts.reopen("registry");
  }

  /** Ends a builder; builds in flight fail. */
  async stopBuilder(name: string): Promise<void> {
    await this.builder(name).stop();
  }

  /** Starts a builder again, with its cache. */
  async startBuilder(name: string): Promise<void> {
    await this.builder(name).stop();
    this.builders.set(name, await this.pieces.restartBuilder(name));
  }

  /** Ends everything; the folder stays. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.stopping ??= (async () => {
      await Promise.all([...this.builders.values()].map((builder) => builder.stop()));
      await this.pieces.fronts.close();
      await this.registry.stop();
      await this.pieces.end();
    })();
    return this.stopping;
  }

  private builder(name: string): Builder {
    const builder = this.builders.get(name);
    if (builder) return builder;
    throw new Error(
      `no builder ${JSON.stringify(name)} in this sandbox; there are ${JSON.stringify([...this.builders.keys()])}`,
    );
  }
}

function checked(kind: string, path: string): string {
  if (safePath.test(path)) return path;
  throw new Error(
    `${kind} ${JSON.stringify(path)} is not accepted; use a relative path of letters, digits and "._@+-"`,
  );
}

function put(file: string, content: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
