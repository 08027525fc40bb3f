import { mkdirSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { Child } from "./child";
import { freePort } from "./freePort";
import type { Layout } from "./layout";

/** The registries a sandbox can run: CNCF distribution has no referrers API (like GHCR), olareg has it. */
export const registryKinds = ["distribution", "olareg"] as const;

/** One of the registries a sandbox can run. */
export type RegistryKind = (typeof registryKinds)[number];

/** The program of each. */
export const registryPrograms = { distribution: "registry", olareg: "olareg" } as const;

/** A running registry, plain HTTP on a loopback port. */
export interface RegistryProcess {
  readonly child: Child;
  readonly port: number;
}

/**
 * Starts a registry that keeps its content in the sandbox's folder and lets manifests be deleted.
 * @param port the port to use; default: a free one.
 * @throws Error with the end of its log when it does not answer within 20 s.
 */
export async function startRegistry(
  kind: RegistryKind,
  program: string,
  layout: Layout,
  port?: number,
): Promise<RegistryProcess> {
  const chosen = port ?? (await freePort());
  mkdirSync(layout.registryData, { recursive: true });
  const args = kind === "distribution" ? distributionArgs(layout, chosen) : olaregArgs(layout, chosen);
  const env = { ...process.env, OTEL_TRACES_EXPORTER: "none", OTEL_SDK_DISABLED: "true" };
  const child = Child.start({ name: `registry (${kind})`, command: program, args, log: layout.log("registry"), env });
  await child.ready(() => answers(chosen), 20_000);
  return { child, port: chosen };
}

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

function olaregArgs(layout: Layout, port: number): readonly string[] {
  // No garbage collection: images are pushed by digest long before anything refers to them.
  return [
    ...["serve", "--addr", "127.0.0.1", "--port", String(port), "--dir", layout.registryData],
    ...["--api-delete", "--api-blob-delete", "--gc-frequency", "-1s"],
  ];
}

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok ?? false;
}
