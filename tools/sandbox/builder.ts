import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { checkout } from "../../components/engine/checkout";
import { Child } from "./child";
import type { Emulators } from "./emulators";
import type { Layout } from "./layout";

const run = promisify(execFile);

/** What a builder needs to know. */
export interface BuilderOptions {
  readonly name: string;
  /** Platforms it builds; empty: all this machine can run. */
  readonly platforms: readonly string[];
  /** The sandbox's registry, as references name it. */
  readonly registry: string;
  /** What it needs to reach that under a name of its own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly programs: { readonly buildkitd: string; readonly buildctl: string };
  /** PATH of the daemon: it calls runc and git. */
  readonly path: string;
  readonly emulators: Emulators;
  /** Keeps its data on a memory file system of this size, to try a full disk. */
  readonly diskMegabytes?: number;
  /** Folder under every control group hierarchy that holds the groups of its containers: `/name`. */
  readonly controlGroup: string;
  /** How many build steps run at once. Default: all. */
  readonly maxParallelism?: number;
}

/** A running BuildKit daemon. */
export interface Builder {
  /** For buildx: `unix://…`, `docker-container://…`. */
  readonly address: string;
  /** Platforms it is for; empty: all. BuildKit itself would also run others where emulators are registered. */
  readonly platforms: readonly string[];
  /** Ends it; it may finish writing its cache's records, its containers end with it. */
  readonly stop: () => Promise<void>;
}

/** Hosts whose images the sandbox's registry serves under a prefix of that name. */
export function mirroredBy(registry: string): readonly string[] {
  return ["docker.io", "gcr.io"].filter((host) => host !== registry);
}

/**
 * Starts buildkitd in mount and pid namespaces of its own: when it ends, for whatever reason, the kernel ends all its
 * containers and drops all its mounts.
 * @throws Error with the end of its log when it is not ready within 30 s.
 */
export async function startBuilder(layout: Layout, options: BuilderOptions): Promise<Builder> {
  const { name, programs, emulators, diskMegabytes } = options;
  const root = layout.in("builders", name);
  const address = `unix://${layout.in(`builder-${name}.sock`)}`;
  const config = layout.in(`builder-${name}.toml`);
  mkdirSync(join(root, "tmp"), { recursive: true });
  writeFileSync(config, configuration(root, address, layout, options));
  const size = diskMegabytes === undefined ? "-" : `${diskMegabytes}m`;
  const daemon = [programs.buildkitd, "--config", config];
  const args = [
    ...["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"],
    ...["/bin/sh", join(checkout, "tools/sandbox/builder.sh"), root, size, ...emulators.lines, "--", ...daemon],
  ];
  const env = {
    ...process.env,
    PATH: options.path,
    TMPDIR: root,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    NO_PROXY: "localhost,127.0.0.1",
    // By which the janitor knows it.
    MIRROR_BUILDER_IN: options.controlGroup,
    ...options.environment,
  };
  const child = Child.start({
    name: `builder ${name}`,
    command: "unshare",
    args,
    log: layout.log(`builder-${name}`),
    env,
  });
  await child.ready(() => answers(programs.buildctl, address), 30_000);
  return { address, platforms: options.platforms, stop: () => stop(child) };
}

async function stop(child: Child): Promise<void> {
  if (child.pid === undefined) return;
  // The signal goes to the daemon: unshare itself ignores it.
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
  await child.stop("SIGTERM", 5_000, children.filter(Boolean).map(Number));
}

function configuration(root: string, address: string, layout: Layout, options: BuilderOptions): string {
  const text = JSON.stringify;
  return [
    `root = ${text(root)}`,
    `[grpc]`,
    `address = [${text(address)}]`,
    `[otel]`,
    `socketPath = ${text(join(dirname(layout.controlSocket), `otel-${options.name}.sock`))}`,
    `[worker.containerd]`,
    `enabled = false`,
    ...workerConfiguration(options),
    `defaultCgroupParent = ${text(options.controlGroup)}`,
    ...registryConfiguration(options.registry),
    "",
  ].join("\n");
}

/** The lines of a daemon's configuration that say how it builds. */
export function workerConfiguration({
  platforms,
  maxParallelism,
}: Pick<BuilderOptions, "platforms" | "maxParallelism">): readonly string[] {
  return [
    `[worker.oci]`,
    `enabled = true`,
    `snapshotter = "auto"`,
    // BuildKit's own default empties the cache as soon as a fifth of the disk is all that is free.
    `reservedSpace = "5GB"`,
    `maxUsedSpace = "20GB"`,
    `minFreeSpace = "1GB"`,
    ...(maxParallelism === undefined ? [] : [`max-parallelism = ${maxParallelism}`]),
    ...(platforms.length > 0
      ? [`platforms = [${platforms.map((platform) => JSON.stringify(platform)).join(", ")}]`]
      : []),
  ];
}

/** The lines of a daemon's configuration that lead it to the sandbox's registry. */
export function registryConfiguration(registry: string): readonly string[] {
  const text = JSON.stringify;
  return [
    ...(registry.startsWith("localhost:") ? [`[registry.${text(registry)}]`, `http = true`] : []),
    ...mirroredBy(registry).flatMap((host) => [
      `[registry.${text(host)}]`,
      `mirrors = [${text(`${registry}/${host}`)}]`,
    ]),
  ];
}

async function answers(buildctl: string, address: string): Promise<boolean> {
  return run(buildctl, ["--addr", address, "debug", "workers"], { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
}
