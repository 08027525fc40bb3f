import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import type { Certificate } from "./certificate";
import { sandboxParts, type SandboxPart } from "./faultRule";
import type { FaultRules } from "./faultRules";
import { createFileServer } from "./fileServer";
import { listen } from "./freePort";
import { Front, type Gate } from "./front";
import { createGitServer } from "./gitServer";
import type { Layout } from "./layout";
import { createReleaseApi } from "./releaseApi";
import { RequestLog } from "./requestLog";

/** What the fronts need to know. */
export interface FrontsOptions {
  readonly layout: Layout;
  readonly certificate: Certificate;
  readonly rules: FaultRules;
  /** Loopback port of the registry itself. */
  readonly registryPort: number;
  /** Ports of an earlier run, used again when they are free, since references and states name them. */
  readonly preferredPorts: Partial<Record<SandboxPart, number>>;
  /** Of the registry. */
  readonly gates: readonly Gate[];
}

/** The ports clients see, and the git, release and file servers behind three of them. */
export class Fronts {
  private constructor(
    private readonly fronts: Readonly<Record<SandboxPart, Front>>,
    private readonly servers: readonly Server[],
    private readonly logs: readonly RequestLog[],
  ) {}

  static async open({
    layout,
    certificate,
    rules,
    registryPort,
    preferredPorts,
    gates,
  }: FrontsOptions): Promise<Fronts> {
    for (const folder of [layout.repositories, layout.releases, layout.files]) mkdirSync(folder, { recursive: true });
    const git = createGitServer(layout.repositories, layout.releases);
    const releases = createReleaseApi(layout.releases, layout.repositories);
    const files = createFileServer(layout.files);
    for (const server of [git, releases, files]) server.keepAliveTimeout = 600_000;
    const upstream: Readonly<Record<SandboxPart, number>> = {
      registry: registryPort,
      git: await listen(git),
      releases: await listen(releases),
      files: await listen(files),
    };
    const logs: RequestLog[] = [];
    const front = async (part: SandboxPart): Promise<Front> => {
      const log = new RequestLog(layout.requestLog(part));
      logs.push(log);
      const guarded = part === "registry" ? { gates } : {};
      const opened = new Front({ part, rules, log, certificate, upstreamPort: upstream[part], ...guarded });
      await opened.open(preferredPorts[part] ?? 0);
      return opened;
    };
    const fronts = {
      registry: await front("registry"),
      git: await front("git"),
      releases: await front("releases"),
      files: await front("files"),
    };
    return new Fronts(fronts, [git, releases, files], logs);
  }

  /** The port of each part. */
  get ports(): Readonly<Record<SandboxPart, number>> {
    const { registry, git, releases, files } = this.fronts;
    return { registry: registry.port, git: git.port, releases: releases.port, files: files.port };
  }

  /** Milliseconds added before every request to the registry. */
  get latencyMs(): number {
    return this.fronts.registry.latencyMs;
  }

  set latencyMs(milliseconds: number) {
    this.fronts.registry.latencyMs = milliseconds;
  }

  /** Refuses connections to a part until {@link reopen}. */
  shut(part: SandboxPart): Promise<void> {
    return this.fronts[part].close();
  }

  /** Listens again, on the same port. */
  async reopen(part: SandboxPart): Promise<void> {
    await this.fronts[part].open();
  }

  async close(): Promise<void> {
    await Promise.all(sandboxParts.map((part) => this.fronts[part].close()));
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
    for (const log of this.logs) log.close();
  }
}
