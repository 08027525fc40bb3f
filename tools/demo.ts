import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { elfIdentity, parsePlatform, unameMachine, type Platform } from "../components/model/platform";
import { speaker } from "../commands/reconcile/voice";
import { columns } from "./sandbox/columns";
import { clearDemoFolder, demoRegistry, startDemoSandbox, startServing } from "./sandbox/demoSandbox";
import type { Environment } from "./sandbox/environment";
import { checkout } from "../components/engine/checkout";
import { defaultSandboxFolder } from "./sandbox/layout";
import { PulumiDigest } from "./sandbox/pulumiDigest";
import { RequestLog } from "./sandbox/requestLog";
import { outputOf, type ProcessOptions } from "../components/system/process";
import { usableEngine } from "./sandbox/engine";
import { preflight } from "./sandbox/preflight";
import { registryPrograms } from "./sandbox/registry";
import { toolPaths, type ToolPaths } from "./sandbox/toolPaths";
import { runVisibly } from "./sandbox/visibleProcess";
import type { ToolName } from "./toolchain/tool";
import { tools } from "./toolchain/tools";
import { shellWord } from "../components/model/quoting";
import { reasonOf } from "../components/model/reasonOf";

interface PublishedVersion {
  readonly digest: string;
  readonly platforms: Readonly<Record<string, string>>;
  readonly origin: string;
}

/** The stack output `published`: by app. */
type Published = Readonly<
  Record<string, { readonly repository: string; readonly versions: Readonly<Record<string, PublishedVersion>> }>
>;

const stack = ["--stack", "sandbox"];
const plain = ["--non-interactive", "--suppress-outputs", "--color", "never"];

const command = new Command("demo")
  .description("Mirrors a real application into a registry on this machine and shows what came of it")
  .option("--keep", "leave the sandbox running when all is done, and say how to use it")
  .option("--dir <folder>", "folder of the demo's sandbox; emptied first", defaultSandboxFolder("demo"));

const { keep = false, dir } = command.parse().opts<{ keep?: boolean; dir: string }>();
/** In the sandbox's own folder of files, so that its server has it as long as it runs. */
const site = join(dir, "files", "catalogue");
const voice = speaker();
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => interrupt.abort());

demo().catch((error: unknown) => {
  const message = reasonOf(error);
  speaker(process.stderr).text(interrupt.signal.aborted ? "\ninterrupted" : `\nerror: ${message}`);
  // A program may still be being built; it ends with this process.
  process.exit(interrupt.signal.aborted ? 130 : 1);
});

async function demo(): Promise<void> {
  title("Starting a registry, a git server and a release API on this machine");
  const engine = await usableEngine(registryPrograms[demoRegistry], tell);
  if (!engine) await preflight(true);
  await clearDemoFolder(dir, tell);
  const serving = await startServing(dir, engine, tell);
  // What the rest takes may have to be built, which takes minutes; a look takes none of it.
  const programs = toolPaths({ registry: demoRegistry, mirror: true, builders: true, engine }, tell);
  programs.catch(() => {});
  try {
    interrupt.signal.throwIfAborted();
    await look(optionsFor(serving.env));
  } finally {
    await serving.stop();
  }
  title("Programs for the rest, and where they come from");
  print(programsTable(await unlessInterrupted(programs)));
  title("Starting the registry again, and BuildKit");
  const sandbox = await startDemoSandbox(dir, keep, engine, tell);
  let kept = false;
  try {
    interrupt.signal.throwIfAborted();
    await mirror(optionsFor(sandbox.env));
    sandbox.letGo?.();
    kept = keep;
  } finally {
    if (!kept) {
      title("Stopping");
      await sandbox.stop();
    }
  }
  if (kept) explain(dir, sandbox.env);
}

function unlessInterrupted<T>(work: Promise<T>): Promise<T> {
  const interrupted = once(interrupt.signal, "abort").then(() => interrupt.signal.throwIfAborted());
  return Promise.race([work, interrupted as Promise<never>]);
}

function optionsFor(env: Environment): ProcessOptions {
  const environment = { ...process.env, ...env };
  return { directory: checkout, environment, signal: interrupt.signal, limitMs: Infinity };
}

async function look(options: ProcessOptions): Promise<void> {
  title("npm run reconcile -- --phase plan: a first look, without a builder");
  const args = ["tools/run.cjs", "commands/reconcile.ts", ...stack, "--phase", "plan"];
  // A state that is kept would be read by Pulumi, and there is none yet.
  const environment = { ...options.environment, PULUMI_BACKEND_URL: undefined };
  const workToDo = 3;
  await runVisibly(process.execPath, args, { ...options, environment, print: tell, good: [workToDo] });
}

function programsTable({ origins }: ToolPaths): readonly string[] {
  const rows = [...origins].map(([name, origin]) => [name, versionOf(name), origin]);
  return columns([["program", "version", "from"], ...rows]);
}

/** The version that fits, as the table of tools has it. */
function versionOf(name: ToolName): string {
  return tools.find((tool) => tool.name === name)?.version ?? "any";
}

async function mirror(options: ProcessOptions): Promise<void> {
  title("pulumi preview: the images that are missing");
  await pulumi(["preview"], options);
  title("pulumi up: they are built, checked, published and signed");
  await pulumi(["up", "--yes", "--skip-preview"], options);
  title("Published");
  const outputs = await outputOf("pulumi", ["stack", "output", "published", "--json", ...stack], options);
  const published = JSON.parse(outputs) as Published;
  print(publishedTable(published));
  title("pulumi preview again: nothing to do");
  const before = writes(options);
  await pulumi(["preview", "--expect-no-changes"], options);
  print([`requests that write or delete, as the registry logged them: ${writes(options) - before}`]);
  title("One image of each platform, pulled back by another client (regctl)");
  print(await pulledTable(published, options));
  title("npm run catalogue: all of it as pages for people, JSON and feeds for machines");
  await runVisibly(process.execPath, ["tools/run.cjs", "commands/catalogue.ts", ...stack, "--out", site], {
    ...options,
    print: tell,
  });
}

async function pulumi(args: readonly string[], options: ProcessOptions): Promise<void> {
  const digest = new PulumiDigest();
  await runVisibly("pulumi", [...args, ...stack, ...plain], {
    ...options,
    print: tell,
    show: (line) => digest.line(line),
  });
}

function publishedTable(published: Published): readonly string[] {
  const rows = Object.entries(published).flatMap(([app, { versions }]) =>
    Object.entries(versions)
      .toReversed()
      .flatMap(([version, { platforms, origin }]) =>
        Object.entries(platforms).map(([platform, digest]) => [app, version, platform, origin, digest]),
      ),
  );
  return columns([["app", "version", "platform", "origin", "digest"], ...rows]);
}

/** Reads configuration and program of the newest image of each app as clients on each platform would get them. */
async function pulledTable(published: Published, options: ProcessOptions): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [app, { repository, versions }] of Object.entries(published)) {
    const rows: string[][] = [["platform asked for", "configuration says", "program is built for"]];
    const platforms = Object.keys(Object.values(versions).at(-1)?.platforms ?? {}).map(parsePlatform);
    for (const platform of platforms) rows.push(await pull(`${repository}:latest`, app, platform, options));
    lines.push(`${repository}:latest`, ...columns(rows).map((line) => `  ${line}`));
  }
  return lines;
}

async function pull(image: string, app: string, platform: Platform, options: ProcessOptions): Promise<string[]> {
  const format = "{{.OS}}/{{.Architecture}} {{index .Config.Entrypoint 0}}";
  const config = await outputOf(
    "regctl",
    ["image", "config", "--platform", platform, "--format", format, image],
    options,
  );
  const [says = "", program = ""] = config.trim().split(" ");
  const file = join(dir, `${app}-${platform.replaceAll("/", "-")}`);
  await outputOf("regctl", ["image", "get-file", "--platform", platform, image, program, file], options);
  const machine = await elfMachine(file);
  const fits = says === platform && machine === elfIdentity(platform).machine;
  if (!fits) throw new Error(`${image} for ${platform} holds ${says}, ELF machine ${machine}`);
  return [platform, says, `${unameMachine(platform)} (${program})`];
}

/** Field `e_machine` of an ELF header. */
async function elfMachine(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { buffer } = await file.read({ buffer: Buffer.alloc(20), position: 0 });
    return buffer.readUInt16LE(18);
  } finally {
    await file.close();
  }
}

function writes({ environment }: ProcessOptions): number {
  const requests = RequestLog.read(environment?.["MIRROR_SANDBOX_LOG"] ?? "");
  return requests.filter(({ method }) => !["GET", "HEAD"].includes(method)).length;
}

function explain(folder: string, env: Environment): void {
  title("The sandbox is still running; in this folder");
  const option = `--dir ${shellWord(folder)}`;
  voice.verbatim(
    [
      `# the catalogue is at ${env["MIRROR_SANDBOX_FILES"] ?? ""}/catalogue/index.html`,
      `eval "$(npm run --silent sandbox -- env ${option})"`,
      "pulumi preview --stack sandbox  # and up, destroy, stack output, …",
      'regctl tag ls "$MIRROR_SANDBOX_REGISTRY/mirror/esbuild"',
      'cosign verify --key "$MIRROR_SANDBOX_COSIGN_PUB" --insecure-ignore-tlog \\',
      '  "$MIRROR_SANDBOX_REGISTRY/mirror/esbuild:latest"',
      `npm run sandbox -- stop ${option}`,
    ].map((line) => `  ${line}`),
  );
}

function tell(line: string): void {
  print([line]);
}

function title(text: string): void {
  voice.verbatim(["", `== ${text}`]);
}

function print(lines: readonly string[]): void {
  voice.text(lines.map((line) => `  ${line}`.trimEnd()).join("\n"));
}
