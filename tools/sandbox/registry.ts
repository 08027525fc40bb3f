import { mkdirSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { Child } from "./child";
import { Container } from "./container";
import type { Engine } from "./engine";
import { freePort } from "./freePort";
import { isHealthy } from "./isHealthy";
import type { Layout } from "./layout";
import type { ToolName } from "../toolchain/tool";

/**
 * The registries a sandbox can run: CNCF distribution 3 and Debian's 2.8 (`docker-registry`), go-containerregistry's (`crane`), which
 * have no referrers API (like GHCR), and olareg, which has it. What crane serves is forgotten when it ends.
 */
export const registryKinds = ["distribution", "olareg", "docker-registry", "crane"] as const;

/** One of the registries a sandbox can run. */
export type RegistryKind = (typeof registryKinds)[number];

/** The program that is each. */
export const registryPrograms = {
  distribution: "registry",
  olareg: "olareg",
  "docker-registry": "docker-registry",
  crane: "crane",
} as const satisfies Record<RegistryKind, ToolName>;

/** A running registry, plain HTTP on a loopback port. */
export interface RegistryProcess {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

interface ProgramHost {
  readonly program: string;
}

interface EngineHost {
  readonly engine: Engine;
  /** Of the registry. */
  readonly image: string;
  /** Name of the sandbox. */
  readonly instance: string;
}

/** What runs a registry: its program, or an engine that has its image. */
export type RegistryHost = ProgramHost | EngineHost;

/** How to start a registry. */
export interface RegistryOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Manifests no tag leads to are collected so many seconds after they were written. Default: never. Of olareg only. */
  readonly collectAfter?: number;
}

/**
 * Starts a registry that keeps its content in the sandbox's folder and lets manifests be deleted.
 * @throws Error with the end of its log when it does not answer within 20 s.
 */
export async function startRegistry(
  kind: RegistryKind,
  host: RegistryHost,
  layout: Layout,
  options: RegistryOptions = {},
): Promise<RegistryProcess> {
  const port = options.port ?? (await freePort());
  mkdirSync(layout.registryData, { recursive: true });
  const started =
    "engine" in host ? await container(kind, host, layout, port, options) : child(kind, host, layout, port, options);
  await started.ready(() => isHealthy(`http://127.0.0.1:${port}/v2/`), 20_000);
  return { port, stop: () => started.stop("SIGTERM", 2_000) };
}

const environment = { OTEL_TRACES_EXPORTER: "none", OTEL_SDK_DISABLED: "true" };

function child(
  kind: RegistryKind,
  { program }: ProgramHost,
  layout: Layout,
  port: number,
  options: RegistryOptions,
): Child {
  const args = argumentsOf[kind](layout, `127.0.0.1:${port}`, options);
  const env = { ...process.env, ...environment };
  return Child.start({ name: `registry (${kind})`, command: program, args, log: layout.log("registry"), env });
}

/** What it writes belongs to who runs the sandbox, and lies where a program would put it: SELinux must not label it anew. */
function container(
  kind: RegistryKind,
  { engine, instance, image }: EngineHost,
  layout: Layout,
  port: number,
  options: RegistryOptions,
): Promise<Container> {
  const files = [layout.registryData, ...(kind === "distribution" ? [configFile(layout)] : [])];
  const network = engine.sharesNetwork ? ["--network", "host"] : ["--publish", `127.0.0.1:${port}:${port}`];
  const address = `${engine.sharesNetwork ? "127.0.0.1" : "0.0.0.0"}:${port}`;
  const args = argumentsOf[kind](layout, address, options);
  return Container.start({
    ...{ engine, instance, image, args, part: "registry" },
    options: [
      ...network,
      ...["--user", `${process.getuid?.()}:${process.getgid?.()}`, "--security-opt", "label=disable"],
      ...files.map((path) => `--volume=${path}:${path}`),
      ...Object.entries(environment).map(([name, value]) => `--env=${name}=${value}`),
    ],
  });
}

const argumentsOf: Readonly<
  Record<RegistryKind, (layout: Layout, address: string, options: RegistryOptions) => readonly string[]>
> = {
  distribution: distributionArgs,
  "docker-registry": distributionArgs,
  olareg: olaregArgs,
  crane: ({ registryData }, address) => ["registry", "serve", "--address", address, "--disk", registryData],
};

function configFile(layout: Layout): string {
  return layout.in("registry.yaml");
}

function distributionArgs(layout: Layout, address: string): readonly string[] {
  const config = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: layout.registryData, maxthreads: 200 },
      cache: { blobdescriptor: "inmemory" },
      delete: { enabled: true },
      redirect: { disable: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    // Relative locations, or uploads would go around the front.
    http: { addr: address, relativeurls: true, secret: "sandbox" },
  };
  writeFileSync(configFile(layout), stringify(config));
  return ["serve", configFile(layout)];
}

function olaregArgs(layout: Layout, address: string, { collectAfter }: RegistryOptions): readonly string[] {
  const collector =
    collectAfter === undefined
      ? ["--gc-frequency", "-1s"]
      : ["--gc-untagged", "--gc-grace-period", `${collectAfter}s`, "--gc-frequency", "1s"];
  const [host = "", port = ""] = address.split(":");
  return [
    ...["serve", "--addr", host, "--port", port, "--dir", layout.registryData],
    ...["--api-delete", "--api-blob-delete", ...collector],
  ];
}
