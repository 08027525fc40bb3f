import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AuthenticationOptions } from "./authentication";
import type { Builder } from "./builder";
import type { Layout } from "./layout";
import type { RegistryAddress } from "./registryName";
import { programPath, type ToolPaths } from "./toolPaths";

const run = promisify(execFile);

/**
 * Writes the Docker configuration of the sandbox: credentials for its registry when it asks for some, and buildx as a plugin.
 */
export function writeDockerConfig(
  layout: Layout,
  tools: ToolPaths,
  { credentials }: RegistryAddress,
  authentication?: AuthenticationOptions,
): void {
  const plugins = join(layout.dockerConfig, "cli-plugins");
  mkdirSync(plugins, { recursive: true });
  const secret = authentication && Buffer.from(`${authentication.user}:${authentication.password}`).toString("base64");
  const auths = secret === undefined ? {} : { [credentials]: { auth: secret } };
  writeFileSync(join(layout.dockerConfig, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
  const plugin = join(plugins, "docker-buildx");
  rmSync(plugin, { force: true });
  symlinkSync(programPath(tools, "buildx"), plugin);
}

/** Makes the builders known to buildx, driver `remote`; descriptions of earlier ones are dropped. */
export async function writeBuildxConfig(
  layout: Layout,
  tools: ToolPaths,
  builders: Readonly<Record<string, Builder>>,
): Promise<void> {
  rmSync(layout.buildxConfig, { recursive: true, force: true });
  mkdirSync(layout.buildxConfig, { recursive: true });
  const env = { ...process.env, BUILDX_CONFIG: layout.buildxConfig, DOCKER_CONFIG: layout.dockerConfig };
  for (const [name, { address, platforms }] of Object.entries(builders)) {
    const only = platforms.length > 0 ? ["--platform", platforms.join(",")] : [];
    const args = ["create", "--name", name, "--driver", "remote", ...only, address];
    await run(programPath(tools, "buildx"), args, { env, timeout: 30_000 });
  }
}

/** Makes a Pulumi home of the sandbox's own, with the plugins the user has installed already. */
export function writePulumiHome(layout: Layout): void {
  const home = layout.in("pulumi-home");
  mkdirSync(home, { recursive: true });
  mkdirSync(layout.pulumi, { recursive: true });
  const plugins = join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "plugins");
  const link = join(home, "plugins");
  if (existsSync(plugins) && !existsSync(link)) symlinkSync(plugins, link);
}

/** Writes a public key for who only looks: nothing is signed yet that it would have to fit. */
export function writePublicKey({ keys }: Layout): void {
  const file = join(keys, "cosign.pub");
  mkdirSync(keys, { recursive: true });
  if (existsSync(file)) return;
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(file, publicKey.export({ type: "spki", format: "pem" }));
}

/** Makes a throw-away cosign key pair (empty password) and a signing configuration without any service, once. */
export async function writeSigningKeys(layout: Layout, cosign: string): Promise<void> {
  const key = join(layout.keys, "cosign.key");
  const config = join(layout.keys, "signing-config.json");
  mkdirSync(layout.keys, { recursive: true });
  const env = { ...process.env, COSIGN_PASSWORD: "" };
  if (!existsSync(key)) {
    const args = ["generate-key-pair", "--output-key-prefix", join(layout.keys, "cosign")];
    await run(cosign, args, { env, timeout: 30_000 });
  }
  if (!existsSync(config)) await run(cosign, ["signing-config", "create", "--out", config], { env, timeout: 30_000 });
}
