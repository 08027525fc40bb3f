import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { speaker } from "../commands/reconcile/voice";
import { control, serveControl, stopSupervisor } from "./sandbox/control";
import { detach, endWithStarter, tellStarter } from "./sandbox/detach";
import { parseFaultRules, type FaultRule } from "./sandbox/faultRule";
import { checkout } from "../components/engine/checkout";
import { defaultSandboxFolder, Layout } from "./sandbox/layout";
import { lockHolder } from "../components/system/lock";
import { ensureStack } from "./sandbox/pulumiStack";
import { registryKinds, registryPrograms, type RegistryKind } from "./sandbox/registry";
import { registryProfiles, type ProfileName } from "./sandbox/registryProfiles";
import { readRunning, type SandboxState } from "./sandbox/sandboxState";
import { registryKind, startSandbox } from "./sandbox/startSandbox";
import { usableEngine } from "./sandbox/engine";
import { writeFixtures } from "./fixtures/fixtures";
import { reasonOf } from "../components/model/reasonOf";
import { shellWord } from "../components/model/quoting";

const voice = speaker();

interface StartOptions {
  readonly dir: string;
  readonly registry?: RegistryKind;
  readonly registryProfile?: ProfileName;
  readonly registryName?: string;
  readonly collectAfter?: number;
  readonly builders?: Readonly<Record<string, readonly string[]>>;
  readonly proxy?: readonly FaultRule[];
  readonly latency?: number;
  readonly foreground?: boolean;
}

const dir = new Option("--dir <folder>", "folder of all its state")
  .default(process.env.MIRROR_SANDBOX_DIR ?? defaultSandboxFolder())
  .makeOptionMandatory();

const program = new Command("sandbox").description("A registry, BuildKit, a git server and a release API on loopback");

program
  .command("start")
  .description("start it, and return when it is ready")
  .addOption(dir)
  .addOption(new Option("--registry <kind>", "olareg has the referrers API").choices([...registryKinds]))
  .addOption(
    new Option("--registry-profile <name>", "answers as another registry does").choices(Object.keys(registryProfiles)),
  )
  .option(
    "--registry-name <host>",
    "known to clients by this name, over TLS, instead of localhost and a port",
    parseHost,
  )
  .option("--collect-after <seconds>", "collects manifests no tag leads to (olareg)", parseSeconds)
  .option("--builders <list>", "name=platform pairs, such as amd64=linux/amd64,arm64=linux/arm64", parseBuilders)
  .option("--proxy <rules.json>", "fault rules", readRules)
  .option("--latency <ms>", "added before every registry request", parseMilliseconds)
  .option("--foreground", "stay in the foreground until interrupted")
  .action((options: StartOptions) => (options.foreground ? supervise(options) : start(options)));

program.command("stop").description("end it; its state stays").addOption(dir).action(stop);
program
  .command("status")
  .description("what is running; exit status 1 when nothing is")
  .addOption(dir)
  .action(({ dir: folder }: { dir: string }) => {
    const state = readRunning(new Layout(folder));
    process.stdout.write(state ? describe(state) : `no sandbox is running in ${folder}\n`);
    if (!state) process.exitCode = 1;
  });
program
  .command("env")
  .description('shell lines for: eval "$(npm run --silent sandbox -- env)"')
  .addOption(dir)
  .action(({ dir: folder }: { dir: string }) => {
    for (const [name, value] of Object.entries(running(new Layout(folder)).env))
      process.stdout.write(`export ${name}=${shellWord(value)}\n`);
  });
program
  .command("rules")
  .description("show the fault rules and their counters, or replace them")
  .argument("[rules.json]", 'a file; "none" removes all rules', readRules)
  .addOption(dir)
  .action(async (rules: readonly FaultRule[] | undefined, { dir: folder }: { dir: string }) => {
    const status = await control(new Layout(folder).controlSocket, "rules", rules);
    process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  });
program
  .command("latency")
  .argument("<ms>", "added before every registry request", parseMilliseconds)
  .addOption(dir)
  .action(async (milliseconds: number, { dir: folder }: { dir: string }) => {
    await control(new Layout(folder).controlSocket, "latency", milliseconds);
  });
for (const action of ["stop", "start"] as const) {
  program
    .command(`${action}-registry`)
    .addOption(dir)
    .action(async ({ dir: folder }: { dir: string }) => {
      await control(new Layout(folder).controlSocket, `${action}-registry`);
    });
  program
    .command(`${action}-builder`)
    .argument("[name]", "which builder", "mirror")
    .addOption(dir)
    .action(async (name: string, { dir: folder }: { dir: string }) => {
      await control(new Layout(folder).controlSocket, `${action}-builder`, name);
    });
}

program.parseAsync().catch((error: unknown) => {
  const message = reasonOf(error);
  tellStarter({ kind: "failed", message });
  speaker(process.stderr).text(message);
  process.exitCode = 1;
});

async function start(options: StartOptions): Promise<void> {
  const layout = new Layout(options.dir);
  const already = readRunning(layout);
  if (already) return void process.stdout.write(`already running\n${describe(already)}`);
  const args = process.argv.slice(process.argv.indexOf("start"));
  const letGo = await detach([...args, "--foreground"], layout, (line) => voice.text(`sandbox: ${line}`));
  letGo();
  process.stdout.write(describe(running(layout)));
}

async function supervise(given: StartOptions): Promise<void> {
  const { dir: folder, proxy, latency, ...options } = given;
  endWithStarter();
  const progress = (line: string): void => {
    tellStarter({ kind: "progress", line });
    voice.text(`sandbox: ${line}`);
  };
  // A name leads to a proxy on loopback, which containers have their own of.
  const named = options.registryName !== undefined;
  const engine = named ? undefined : await usableEngine(registryPrograms[registryKind(options)], progress);
  const sandbox = await startSandbox({
    dir: folder,
    progress,
    ...(engine && { engine }),
    latencyMs: latency ?? 0,
    ...options,
    ...(proxy && { rules: proxy }),
  });
  const end = (): void => {
    progress("stopping");
    void sandbox.stop().then(() => process.exit());
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  try {
    await serveControl(new Layout(folder).controlSocket, sandbox, end);
    await writeFixtures(sandbox, progress);
    if (existsSync(join(checkout, "Pulumi.yaml"))) await ensureStack(sandbox.env, checkout);
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
  progress("ready");
  tellStarter({ kind: "ready" });
}

async function stop({ dir: folder }: { dir: string }): Promise<void> {
  const layout = new Layout(folder);
  if (!lockHolder(layout.lock)) return void process.stdout.write(`no sandbox is running in ${folder}\n`);
  await stopSupervisor(layout);
  process.stdout.write("stopped\n");
}

function running(layout: Layout): SandboxState {
  const state = readRunning(layout);
  if (state) return state;
  throw new Error(`no sandbox is running in ${layout.folder}; start one: npm run sandbox -- start`);
}

function describe({ env, registry, builders }: SandboxState): string {
  const rows = [
    ["registry", `${env.MIRROR_SANDBOX_REGISTRY} (${registry}; HTTP and HTTPS)`],
    ["builders", builders.join(", ")],
    ["git", env.MIRROR_SANDBOX_GIT],
    ["releases", env.GITHUB_BASE_URL],
    ["files", env.MIRROR_SANDBOX_FILES],
    ["requests", env.MIRROR_SANDBOX_LOG],
    ["state", env.MIRROR_SANDBOX_DIR],
  ];
  return rows.map(([name = "", value]) => `  ${name.padEnd(9)} ${value}\n`).join("");
}

function readRules(file: string): readonly FaultRule[] {
  if (file === "none") return [];
  try {
    return parseFaultRules(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new InvalidArgumentError(reasonOf(error));
  }
}

function parseMilliseconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${JSON.stringify(text)} is not a number of milliseconds.`);
}

function parseSeconds(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`${JSON.stringify(text)} is not a number of seconds from 1.`);
}

function parseHost(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(text)) return text;
  throw new InvalidArgumentError(
    `${JSON.stringify(text)} is not the full name of a host, such as registry.example.test.`,
  );
}

function parseBuilders(text: string): Readonly<Record<string, readonly string[]>> {
  const builders: Record<string, string[]> = {};
  for (const pair of text.split(",")) {
    const [, name, platform] = /^([a-z][a-z0-9-]{0,11})=([a-z0-9]+\/[a-z0-9/]+)$/.exec(pair) ?? [];
    if (name === undefined || platform === undefined) {
      throw new InvalidArgumentError(`${JSON.stringify(pair)} is not NAME=PLATFORM, such as arm64=linux/arm64.`);
    }
    (builders[name] ??= []).push(platform);
  }
  return builders;
}
