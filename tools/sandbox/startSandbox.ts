import { mkdirSync } from "node:fs";
import { delimiter } from "node:path";
import { Authentication } from "./authentication";
import { startBuilder, stopBuilder, type Builder, type BuilderOptions } from "./builder";
import { loadCertificate } from "./certificate";
import {
  writeBuildxConfig,
  writeDockerConfig,
  writePublicKey,
  writePulumiHome,
  writeSigningKeys,
} from "./clientConfig";
import { instanceName, planEmulators, removeStaleEmulators, type Emulators } from "./emulators";
import { sandboxEnvironment } from "./environment";
import { FaultRules } from "./faultRules";
import { Fronts } from "./fronts";
import { startJanitor } from "./janitor";
import { defaultSandboxFolder, Layout } from "./layout";
import { writeLanguageHost } from "./languageHost";
import { lockHolder, takeLock } from "../../components/system/lock";
import { preflight } from "./preflight";
import { registryPrograms, startRegistry, type RegistryProcess } from "./registry";
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
  const purpose = { registry: options.registry ?? "distribution", mirror, builders: builders.length > 0 };
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
  const kind = options.registry ?? "distribution";
  if (earlier && earlier.registry !== kind) throw new Error(otherRegistry(layout, earlier.registry, kind));
  const rules = new FaultRules();
  rules.set(options.rules ?? []);
  const startRegistryAt = (port?: number): Promise<RegistryProcess> =>
    startRegistry(kind, programPath(tools, registryPrograms[kind]), layout, port);
  const signing = options.onlyServe ? writePublicKey(layout) : writeSigningKeys(layout, programPath(tools, "cosign"));
  const certificate = await loadCertificate(layout.certificates);
  progress(`starting the registry (${kind})`);
  const registry = await startRegistryAt();
  undo.push(() => registry.child.stop("SIGKILL", 0));
  const authentication = options.authentication && new Authentication(options.authentication);
  const gate = authentication && { gate: authentication.check.bind(authentication) };
  const preferredPorts = earlier?.ports ?? {};
  const fronts = await Fronts.open({
    layout,
    certificate,
    rules,
    registryPort: registry.port,
    preferredPorts,
    ...gate,
  });
  undo.push(() => fronts.close());
  fronts.latencyMs = options.latencyMs ?? 0;
  const address = `localhost:${fronts.ports.registry}`;
  const running = await startBuilders(preparation, address);
  writePulumiHome(layout);
  const path = options.onlyServe ? tools.path : await configureClients(preparation, address, running);
  await signing;
  const env = sandboxEnvironment(layout, path, certificate, fronts.ports, builders[0]?.[0] ?? "mirror");
  await writeState(layout, {
    pid: process.pid,
    registry: kind,
    ports: fronts.ports,
    builders: [...running.keys()],
    env,
  });
  const restartBuilder = (name: string): Promise<Builder> =>
    startBuilder(layout, builderOptions(preparation, name, address));
  const end = async (): Promise<void> => undo[0]?.();
  const restartRegistry = (): Promise<RegistryProcess> => startRegistryAt(registry.port);
  return new Sandbox({ layout, env, rules, fronts, registry, restartRegistry, builders: running, restartBuilder, end });
}

/** Writes what the mirror's programs read. @returns the PATH that finds them. */
async function configureClients(
  { options, layout, tools }: Preparation,
  registry: string,
  builders: ReadonlyMap<string, Builder>,
): Promise<string> {
  writeDockerConfig(layout, tools, registry, options.authentication);
  await writeBuildxConfig(layout, tools, Object.fromEntries(builders));
  const host = writeLanguageHost(layout, tools);
  return host === undefined ? tools.path : `${host}${delimiter}${tools.path}`;
}

async function startBuilders(preparation: Preparation, registry: string): Promise<ReadonlyMap<string, Builder>> {
  const { layout, builders, progress, undo } = preparation;
  const running = new Map<string, Builder>();
  // One after the other: the first registers the emulators, the others find them.
  for (const [name] of builders) {
    progress(`starting the builder ${name}`);
    const builder = await startBuilder(layout, builderOptions(preparation, name, registry));
    undo.push(() => stopBuilder(builder));
    running.set(name, builder);
  }
  return running;
}

function builderOptions(preparation: Preparation, name: string, registry: string): BuilderOptions {
  const { options, tools, builders, emulators, controlGroup } = preparation;
  return {
    name,
    registry,
    controlGroup,
    platforms: builders.find(([candidate]) => candidate === name)?.[1] ?? [],
    programs: { buildkitd: programPath(tools, "buildkitd"), buildctl: programPath(tools, "buildctl") },
    path: tools.path,
    emulators,
    maxParallelism: options.maxParallelism ?? 4,
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
