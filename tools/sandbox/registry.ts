import { mkdirSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { Child } from "./child";
import { freePort } from "./freePort";
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
  readonly child: Child;
  readonly port: number;
}

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
  program: string,
  layout: Layout,
  options: RegistryOptions = {},
): Promise<RegistryProcess> {
  const chosen = options.port ?? (await freePort());
  mkdirSync(layout.registryData, { recursive: true });
  const args = argumentsOf[kind](layout, chosen, options);
  const env = { ...process.env, OTEL_TRACES_EXPORTER: "none", OTEL_SDK_DISABLED: "true" };
  const child = Child.start({ name: `registry (${kind})`, command: program, args, log: layout.log("registry"), env });
  await child.ready(() => answers(chosen), 20_000);
  return { child, port: chosen };
}

const argumentsOf: Readonly<
  Record<RegistryKind, (layout: Layout, port: number, options: RegistryOptions) => readonly string[]>
> = {
  distribution: distributionArgs,
  "docker-registry": distributionArgs,
  olareg: olaregArgs,
  crane: ({ registryData }, port) => ["registry", "serve", "--address", `127.0.0.1:${port}`, "--disk", registryData],
};

function distributionArgs(layout: Layout, port: number): readonly string[] {
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
    http: { addr: `127.0.0.1:${port}`, relativeurls: true, secret: "sandbox" },
  };
  const file = layout.in("registry.yaml");
  writeFileSync(file, stringify(config));
  return ["serve", file];
}

function olaregArgs(layout: Layout, port: number, { collectAfter }: RegistryOptions): readonly string[] {
  const collector =
    collectAfter === undefined
      ? ["--gc-frequency", "-1s"]
      : ["--gc-untagged", "--gc-grace-period", `${collectAfter}s`, "--gc-frequency", "1s"];
  return [
    ...["serve", "--addr", "127.0.0.1", "--port", String(port), "--dir", layout.registryData],
    ...["--api-delete", "--api-blob-delete", ...collector],
  ];
}

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok ?? false;
}
