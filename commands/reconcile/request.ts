import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parsePlatform, type Platform } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";

const phases = ["plan", "build", "publish", "all"] as const;

/** Which part of a reconciliation a command does. `plan` only looks. */
export type ReconcilePhase = (typeof phases)[number];

/** What one `npm run reconcile` is asked to do. Paths are absolute. */
export interface ReconcileRequest {
  readonly stack: string;
  readonly phase: ReconcilePhase;
  readonly dryRun: boolean;
  readonly apps?: readonly string[];
  readonly platforms?: readonly Platform[];
  /** Takes the place of the stack configuration's `keep`. */
  readonly keep?: number;
  /** Folder with the digest files, written by `build`, read by `publish`. */
  readonly digests?: string;
  /** Resource operations at once. */
  readonly parallel: number;
  /** Pulumi backend; undefined: one that is thrown away afterwards. */
  readonly state?: string;
  /** Stack configuration; undefined: `Pulumi.<stack>.yaml` of the project. */
  readonly configFile?: string;
  /** Folder of the Pulumi program. */
  readonly project: string;
  /** File with the record of failed builds. */
  readonly failures?: string;
  /** Tries versions that would wait. */
  readonly retry: boolean;
  /** Phase `plan`: what the registry lets nobody read from here is no failure. */
  readonly acceptUnreadable: boolean;
  /** File the Markdown summary is appended to. */
  readonly summary?: string;
  /** File the whole result is left in, as JSON, for `npm run issues`. */
  readonly result?: string;
  /** File of GitHub Actions that step outputs are appended to. */
  readonly outputs?: string;
  /** One build job for all platforms, emulated where need be, instead of one per platform. */
  readonly emulate: boolean;
  /** After so many milliseconds the run is stopped, and what it was building counts as failed. */
  readonly timeLimitMs?: number;
  readonly json: boolean;
  /** Everything Pulumi prints, build logs included. */
  readonly verbose: boolean;
}

/** The stack's own name, or with organisation and project in front. */
const stackName = /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*\/){0,2}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

const help = `
Exit status:
  0  nothing went wrong; with --phase plan: there is nothing to do
  1  something failed; what could be published is published
  2  wrong usage or configuration; nothing was done
  3  only with --phase plan: there is something to do

Versions that wait after failed builds are missing, but no failure. Credentials come from the Docker configuration
(docker login), GITHUB_TOKEN and, for key pairs, COSIGN_PASSWORD.`;

/**
 * Reads the command line. An option with an empty value is one that is not given, so that workflows can pass on inputs as
 * they are.
 * @throws CommanderError after printing usage or help; its `exitCode` is 0 for help.
 */
export function readRequest(argv: readonly string[], environment: NodeJS.ProcessEnv, root: string): ReconcileRequest {
  const program = new Command("reconcile")
    .description("Makes a registry complete: looks what is missing, builds it, publishes it, says what happened.")
    .requiredOption("--stack <name>", "stack, as in Pulumi.<name>.yaml", matching(stackName, "a stack name"))
    .addOption(new Option("--phase <phase>", "part of the work").choices(phases).default("all"))
    .option("--apps <names>", "only these apps, comma-separated", names)
    .option("--platforms <platforms>", "build only for these, comma-separated", platforms)
    .option("--keep <n>", "how many versions to keep complete, instead of the stack's setting", whole)
    .option("--digests <folder>", "where builds leave digests, and publishing finds them (needed by those phases)")
    .option("--dry-run [boolean]", "change nothing", yes, false)
    .option("--json", "print JSON lines instead of text", false)
    .option("--verbose", "print build logs too", false)
    .option("--retry [boolean]", "try versions that wait after failed builds at once", yes, false)
    .option("--accept-unreadable", "with --phase plan: what may not be read from here is no failure", false)
    .option("--parallel <n>", "resource operations at once (default: 4)", whole)
    .option("--time-limit <minutes>", "stop after so long; what was being built counts as failed", whole)
    .option("--state <url>", "Pulumi backend: URL or folder (default: $PULUMI_BACKEND_URL, or one that is thrown away)")
    .option("--config-file <file>", "stack configuration (default: Pulumi.<stack>.yaml)")
    .option("--failures <file>", "record of failed builds, kept up to date")
    .option("--summary <file>", "append a Markdown summary to this file (default: $GITHUB_STEP_SUMMARY)")
    .option("--result <file>", "leave the result in this file, as JSON")
    .option("--emulate [boolean]", "plan one build job for all platforms, not one on a native runner each", yes, false)
    .option("--project <folder>", "folder of the Pulumi program", root)
    .addHelpText("after", help)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = given(program);
  if ((options.phase === "build" || options.phase === "publish") && options.digests === undefined)
    program.error(`error: --phase ${options.phase} needs --digests <folder>`);
  const { timeLimit, state, ...rest } = options;
  const path = (name: "digests" | "configFile" | "failures" | "summary" | "result", fallback?: string) => {
    const value = rest[name] ?? fallback;
    return value ? { [name]: resolve(value) } : {};
  };
  return {
    ...rest,
    parallel: options.parallel ?? 4,
    project: resolve(options.project),
    ...path("digests"),
    ...path("configFile"),
    ...path("failures"),
    ...path("summary", environment["GITHUB_STEP_SUMMARY"]),
    ...path("result"),
    ...(timeLimit !== undefined && { timeLimitMs: timeLimit * 60_000 }),
    ...backend(state ?? environment["PULUMI_BACKEND_URL"]),
    ...(environment["GITHUB_OUTPUT"] && { outputs: environment["GITHUB_OUTPUT"] }),
  };
}

type Options = Omit<ReconcileRequest, "timeLimitMs" | "outputs" | "parallel"> & {
  readonly parallel?: number;
  readonly timeLimit?: number;
};

/** The options that have a value. */
function given(program: Command): Options {
  const all = Object.entries(program.opts<Record<string, unknown>>());
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== "")) as unknown as Options;
}

function backend(given: string | undefined): { readonly state?: string } {
  if (!given) return {};
  return { state: /^[a-z][a-z0-9+.-]*:\/\//.test(given) ? given : `file://${resolve(given)}` };
}

function yes(text: string): boolean {
  if (text === "true") return true;
  if (text === "false" || text === "") return false;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is neither true nor false.`);
}

function matching(pattern: RegExp, what: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not ${what}.`);
  };
}

function names(text: string): readonly string[] | undefined {
  if (text === "") return undefined;
  return text.split(",").map((item) => matching(/^[a-z0-9][a-z0-9._-]*$/, "an app's name")(item.trim()));
}

function platforms(text: string): readonly Platform[] | undefined {
  if (text === "") return undefined;
  return text.split(",").map((item) => {
    try {
      return parsePlatform(item.trim());
    } catch (error) {
      throw new InvalidArgumentError(reasonOf(error));
    }
  });
}

function whole(text: string): number | undefined {
  if (text === "") return undefined;
  return Number(matching(/^[1-9][0-9]{0,4}$/, "a whole number from 1 to 99999")(text));
}
