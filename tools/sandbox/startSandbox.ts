import { mkdirSync } from "node:fs";
import { delimiter } from "node:path";
import { Authentication } from "./authentication";
import { startBuilder, stopBuilder, type Builder, type BuilderOptions } from "./builder";
import { loadCertificate, type Certificate } from "./certificate";
import {
  writeBuildxConfig,
  writeDockerConfig,
  writePublicKey,
  writePulumiHome,
  writeSigningKeys,
} from "./clientConfig";
import { instanceName, planEmulators, removeStaleEmulators, type Emulators } from "./emulators";
import { proxyVariables, sandboxEnvironment } from "./environment";
import { FaultRules } from "./faultRules";
import type { Gate } from "./front";
import { Fronts } from "./fronts";
import { startJanitor } from "./janitor";
import { defaultSandboxFolder, Layout } from "./layout";
import { writeLanguageHost } from "./languageHost";
import { lockHolder, takeLock } from "../../components/system/lock";
import { preflight } from "./preflight";
import { registryPrograms, startRegistry, type RegistryKind, type RegistryProcess } from "./registry";
import { registryProfiles } from "./registryProfiles";
import { PlayedRegistry } from "./playedRegistry";
import { openNameProxy, registryAddress, type NameProxy, type RegistryAddress } from "./registryName";
import { Sandbox } from "./sandbox";
import type { SandboxOptions } from "./sandboxOptions";
import { readState, writeState } from "./sandboxState";
import { programPath, toolPaths, type ToolPaths } from "./toolPaths";

/**
 * Starts a sandbox in this process and resolves when every part answers. Registry content, ports, keys and the Pulumi backend of
 * an earlier run in the same folder are used again.
 * @throws Error that says what is missing on this machine, who holds the folder, or which part failed, with the end of its log.
 *   What had been started is ended before.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const layout = new Layout(options.dir ?? defaultSandboxFolder());
  const mirror = options.onlyServe !== true;
  const builders = mirror ? Object.entries(options.builders ?? { mirror: [] }) : [];
  const progress = options.progress ?? (() => {});
  await preflight(builders.length > 0);
  const purpose = { registry: registryKind(options), mirror, builders: builders.length > 0 };
  const tools = await toolPaths(purpose, progress);
  const release = takeLock(layout.lock);
  if (!release) throw new Error(occupied(layout));
  mkdirSync(layout.logs, { recursive: true });
  removeStaleEmulators();
  const emulators = builders.length > 0 ? planEmulators(instanceName()) : noEmulators;
  if (emulators.missing.length > 0) progress(missingEmulators(emulators.missing));
  const controlGroup = `/mirror-sandbox-${instanceName()}`;
  const clean = startJanitor({ registrations: emulators.names, controlGroup });
  const undo: (() => Promise<void>)[] = [() => clean().finally(release)];
  try {
    return await assemble({ options, layout, tools, builders, emulators, controlGroup, progress, undo });
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch(() => {});
    throw error;
  }
}

const noEmulators: Emulators = { names: [], lines: [], missing: [] };

interface Preparation {
  readonly options: SandboxOptions;
  readonly layout: Layout;
  readonly tools: ToolPaths;
  readonly builders: readonly (readonly [string, readonly string[]])[];
  readonly emulators: Emulators;
  readonly controlGroup: string;
  readonly progress: (line: string) => void;
  /** What to do, last first, when a later step fails. */
  readonly undo: (() => Promise<void>)[];
}

async function assemble(preparation: Preparation): Promise<Sandbox> {
  const { options, layout, tools, builders, progress, undo } = preparation;
  const earlier = readState(layout);
  const kind = registryKind(options);
  if (earlier && earlier.registry !== kind) throw new Error(otherRegistry(layout, earlier.registry, kind));
  const rules = new FaultRules();
  rules.set(options.rules ?? []);
  const { registryName } = options;
  const startRegistryAt = registryStarter(kind, preparation);
  const signing = options.onlyServe ? writePublicKey(layout) : writeSigningKeys(layout, programPath(tools, "cosign"));
  const certificate = await loadCertificate(layout.certificates, registryAddress(registryName, 0).hosts);
  progress(`starting the registry (${kind})`);
  const registry = await startRegistryAt();
  undo.push(() => registry.child.stop("SIGKILL", 0));
  const preferredPorts = earlier?.ports ?? {};
  const gates = gatesOf(options, registry.port);
  const fronts = await Fronts.open({ layout, certificate, rules, registryPort: registry.port, preferredPorts, gates });
  undo.push(() => fronts.close());
  fronts.latencyMs = options.latencyMs ?? 0;
  const address = registryAddress(registryName, fronts.ports.registry);
  const { registry: name, hosts } = address;
  const proxy = hosts.length > 0 ? await openNameProxy(hosts, fronts.ports.registry) : undefined;
  if (proxy) undo.push(() => proxy.close());
  const reach = reachRegistry(name, certificate, proxy);
  const running = await startBuilders(preparation, reach);
  writePulumiHome(layout);
  const path = options.onlyServe ? tools.path : await configureClients(preparation, address, running);
  await signing;
  const env = sandboxEnvironment(layout, path, certificate, fronts.ports, builders[0]?.[0] ?? "mirror", {
    registry: name,
    proxy,
  });
  await writeState(layout, {
    pid: process.pid,
    registry: kind,
    ports: fronts.ports,
    builders: [...running.keys()],
    env,
  });
  const restartBuilder = (name: string): Promise<Builder> =>
    startBuilder(layout, builderOptions(preparation, name, reach));
  const end = async (): Promise<void> => {
    await proxy?.close();
    await undo[0]?.();
  };
  const restartRegistry = (): Promise<RegistryProcess> => startRegistryAt(registry.port);
  return new Sandbox({
    ...{ layout, env, rules, fronts, registry, registryName: name, restartRegistry },
    ...{ builders: running, restartBuilder, end },
  });
}

/** What starts the registry, on a port of its choice or that of before. @throws Error when it is to do what it cannot. */
function registryStarter(
  kind: RegistryKind,
  { options: { collectAfter }, layout, tools }: Preparation,
): (port?: number) => Promise<RegistryProcess> {
  if (collectAfter !== undefined && kind !== "olareg")
    throw new Error(`the registry "${kind}" collects nothing; olareg does`);
  return (port) =>
    startRegistry(kind, programPath(tools, registryPrograms[kind]), layout, {
      ...(port !== undefined && { port }),
      ...(collectAfter !== undefined && { collectAfter }),
    });
}

/** What a request to the registry passes before it gets there. */
function gatesOf({ authentication, registryProfile }: SandboxOptions, registryPort: number): readonly Gate[] {
  const checking = authentication && new Authentication(authentication);
  const played = registryProfile && new PlayedRegistry(registryProfiles[registryProfile], registryPort);
  return [...(checking ? [checking.check.bind(checking)] : []), ...(played ? [played.check.bind(played)] : [])];
}

/** Writes what the mirror's programs read. @returns the PATH that finds them. */
async function configureClients(
  { options, layout, tools }: Preparation,
  address: RegistryAddress,
  builders: ReadonlyMap<string, Builder>,
): Promise<string> {
  writeDockerConfig(layout, tools, address, options.authentication);
  await writeBuildxConfig(layout, tools, Object.fromEntries(builders));
  const host = writeLanguageHost(layout, tools);
  return host === undefined ? tools.path : `${host}${delimiter}${tools.path}`;
}

/** A registry is played by one that has the referrers API where it has. */
function registryKind({ registry, registryProfile }: SandboxOptions): RegistryKind {
  const played = registryProfile !== undefined && registryProfiles[registryProfile].referrers === "api";
  return registry ?? (played ? "olareg" : "distribution");
}

/** What a builder needs to find the registry. */
type Reach = Pick<BuilderOptions, "registry" | "environment">;

function reachRegistry(registry: string, { bundleFile }: Certificate, proxy: NameProxy | undefined): Reach {
  return { registry, environment: proxy ? { ...proxyVariables(proxy), SSL_CERT_FILE: bundleFile } : {} };
}

async function startBuilders(preparation: Preparation, reach: Reach): Promise<ReadonlyMap<string, Builder>> {
  const { layout, builders, progress, undo } = preparation;
  const running = new Map<string, Builder>();
  // One after the other: the first registers the emulators, the others find them.
  for (const [name] of builders) {
    progress(`starting the builder ${name}`);
    const builder = await startBuilder(layout, builderOptions(preparation, name, reach));
    undo.push(() => stopBuilder(builder));
    running.set(name, builder);
  }
  return running;
}

function builderOptions(preparation: Preparation, name: string, reach: Reach): BuilderOptions {
  const { options, tools, builders, emulators, controlGroup } = preparation;
  return {
    name,
    ...reach,
    controlGroup,
    platforms: builders.find(([candidate]) => candidate === name)?.[1] ?? [],
    programs: { buildkitd: programPath(tools, "buildkitd"), buildctl: programPath(tools, "buildctl") },
    path: tools.path,
    emulators,
    ...(options.maxParallelism !== undefined && { maxParallelism: options.maxParallelism }),
    ...(options.builderDiskMegabytes !== undefined && { diskMegabytes: options.builderDiskMegabytes }),
  };
}

function occupied({ folder, lock }: Layout): string {
  return `a sandbox is running in ${JSON.stringify(folder)} (process ${lockHolder(lock)}); stop it first, or name another folder with --dir`;
}

function otherRegistry(layout: Layout, earlier: string, wanted: string): string {
  const folder = JSON.stringify(layout.folder);
  return `the content in ${folder} was written by the registry "${earlier}", not "${wanted}"; name another folder, or delete this one`;
}

function missingEmulators(architectures: readonly string[]): string {
  return `no QEMU for ${architectures.join(", ")}: only this machine's own platform can run build steps; to change that: apt-get install qemu-user-static`;
}
