import { mkdirSync } from "node:fs";
import { delimiter } from "node:path";
import { Authentication } from "./authentication";
import { startBuilder, type Builder, type BuilderOptions } from "./builder";
import { loadCertificate, type Certificate } from "./certificate";
import {
  writeBuildxConfig,
  writeDockerConfig,
  writePublicKey,
  writePulumiHome,
  writeSigningKeys,
} from "./clientConfig";
import { engineLabel, havingImage, staleInstances, type Engine } from "./engine";
import { startEngineBuilder } from "./engineBuilder";
import { instanceName, planEmulators, removeStaleEmulators, type Emulators } from "./emulators";
import { proxyVariables, sandboxEnvironment } from "./environment";
import { FaultRules } from "./faultRules";
import type { Gate } from "./front";
import { Fronts } from "./fronts";
import { startJanitor, type JanitorOptions } from "./janitor";
import { defaultSandboxFolder, Layout } from "./layout";
import { writeLanguageHost } from "./languageHost";
import { lockHolder, takeLock } from "../../components/system/lock";
import { preflight } from "./preflight";
import {
  registryPrograms,
  startRegistry,
  type RegistryHost,
  type RegistryKind,
  type RegistryProcess,
} from "./registry";
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
  const { engine } = options;
  if (!engine) await preflight(builders.length > 0);
  const purpose = { registry: registryKind(options), mirror, builders: builders.length > 0, engine };
  const tools = await toolPaths(purpose, progress);
  const release = takeLock(layout.lock);
  if (!release) throw new Error(occupied(layout));
  mkdirSync(layout.logs, { recursive: true });
  removeStaleEmulators();
  if (engine) for (const stale of await staleInstances(engine)) await startJanitor(inEngine(engine, stale))();
  const instance = instanceName();
  const emulators = builders.length > 0 && !engine ? planEmulators(instance) : noEmulators;
  if (emulators.missing.length > 0) progress(missingEmulators(emulators.missing));
  const controlGroup = `/mirror-sandbox-${instance}`;
  const clean = startJanitor(engine ? inEngine(engine, instance) : { registrations: emulators.names, controlGroup });
  const undo: (() => Promise<void>)[] = [() => clean().finally(release)];
  try {
    return await assemble({ options, layout, tools, builders, emulators, instance, controlGroup, progress, undo });
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch(() => {});
    throw error;
  }
}

function inEngine({ host }: Engine, instance: string): JanitorOptions {
  return { registrations: [], engine: { host, label: `${engineLabel}=${instance}` } };
}

const noEmulators: Emulators = { names: [], lines: [], missing: [] };

interface Preparation {
  readonly options: SandboxOptions;
  readonly layout: Layout;
  readonly tools: ToolPaths;
  readonly builders: readonly (readonly [string, readonly string[]])[];
  readonly emulators: Emulators;
  /** Name of this sandbox. */
  readonly instance: string;
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
  undo.push(() => registry.stop());
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
  const start = builderStarter(preparation, reach, Object.values(fronts.ports));
  const running = await startBuilders(preparation, start);
  writePulumiHome(layout);
  const path = options.onlyServe ? tools.path : await configureClients(preparation, address, running);
  await signing;
  const env = sandboxEnvironment(layout, path, certificate, fronts.ports, builders[0]?.[0] ?? "mirror", {
    registry: name,
    proxy,
    engine: options.engine,
  });
  await writeState(layout, {
    pid: process.pid,
    registry: kind,
    ports: fronts.ports,
    builders: [...running.keys()],
    env,
  });
  const end = async (): Promise<void> => {
    await proxy?.close();
    await undo[0]?.();
  };
  const restartRegistry = (): Promise<RegistryProcess> => startRegistryAt(registry.port);
  return new Sandbox({
    ...{ layout, env, rules, fronts, registry, registryName: name, restartRegistry },
    ...{ builders: running, restartBuilder: start, end },
  });
}

/** What starts the registry, on a port of its choice or that of before. @throws Error when it is to do what it cannot. */
function registryStarter(
  kind: RegistryKind,
  { options: { collectAfter, engine }, layout, tools, instance, progress }: Preparation,
): (port?: number) => Promise<RegistryProcess> {
  if (collectAfter !== undefined && kind !== "olareg")
    throw new Error(`the registry "${kind}" collects nothing; olareg does`);
  const program = registryPrograms[kind];
  const host = async (): Promise<RegistryHost> =>
    engine
      ? { engine, instance, image: await havingImage(engine, program, progress) }
      : { program: programPath(tools, program) };
  return async (port) =>
    startRegistry(kind, await host(), layout, {
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

/** The registry that runs: one that has the referrers API where the one it plays has. */
export function registryKind({ registry, registryProfile }: SandboxOptions): RegistryKind {
  const played = registryProfile !== undefined && registryProfiles[registryProfile].referrers === "api";
  return registry ?? (played ? "olareg" : "distribution");
}

/** What a builder needs to find the registry. */
type Reach = Pick<BuilderOptions, "registry" | "environment">;

function reachRegistry(registry: string, { bundleFile }: Certificate, proxy: NameProxy | undefined): Reach {
  return { registry, environment: proxy ? { ...proxyVariables(proxy), SSL_CERT_FILE: bundleFile } : {} };
}

/** What starts the builder of a name. @param ports of the sandbox's servers. */
function builderStarter(
  preparation: Preparation,
  reach: Reach,
  ports: readonly number[],
): (name: string) => Promise<Builder> {
  const { options, layout, builders, instance, progress } = preparation;
  const { engine } = options;
  if (!engine) return (name) => startBuilder(layout, builderOptions(preparation, name, reach));
  return async (name) =>
    startEngineBuilder(layout, {
      ...{ engine, instance, name, ports, registry: reach.registry },
      image: await havingImage(engine, "buildkitd", progress),
      platforms: platformsOf(builders, name),
    });
}

function platformsOf(builders: Preparation["builders"], name: string): readonly string[] {
  return builders.find(([candidate]) => candidate === name)?.[1] ?? [];
}

async function startBuilders(
  { builders, progress, undo }: Preparation,
  start: (name: string) => Promise<Builder>,
): Promise<ReadonlyMap<string, Builder>> {
  const running = new Map<string, Builder>();
  // One after the other: the first registers the emulators, the others find them.
  for (const [name] of builders) {
    progress(`starting the builder ${name}`);
    const builder = await start(name);
    undo.push(() => builder.stop());
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
    platforms: platformsOf(builders, name),
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
