import { resolve } from "node:path";
import { Command, Option } from "commander";
import { z } from "zod";
import { check } from "../../components/config/problems";
import { acceptedPlatforms, parsePlatform, type Platform, platformSpellings } from "../../components/model/platform";

import { acceptedWebhook, parseWebhook, type Webhook } from "./webhook";

const phases = ["plan", "build", "publish", "all"] as const;

/** Which part of a reconciliation a command does. `plan` only looks. */
type ReconcilePhase = (typeof phases)[number];

/** What one `npm run reconcile` is asked to do. Paths are absolute. */
export interface ReconcileRequest {
  readonly stack: string;
  readonly phase: ReconcilePhase;
  readonly dryRun: boolean;
  readonly apps?: readonly string[];
  readonly platforms?: readonly Platform[];
  /** How many versions of each app are kept complete, whatever stack and app files say. */
  readonly keep?: number;
  /** Folder with the build records, written by `build`, read by `publish`. */
  readonly digests?: string;
  /** Folder in which build records stay until their version is published; undefined: a corner of the cache folder. */
  readonly records?: string;
  /** Resource operations at once. */
  readonly parallel: number;
  /** Pulumi backend; undefined: one that is thrown away afterwards, as it always is after a build phase. */
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
  /** Folder the whole log of each build is left in. */
  readonly logs?: string;
  /** A version that is missing for longer than a day is a failure of the run. */
  readonly strict: boolean;
  /** Whom to tell of failures, recoveries and publications. */
  readonly notify?: Webhook;
  /** File the Markdown summary is appended to. */
  readonly summary?: string;
  /** Where the catalogue is published, which summary and result then link to: `$CATALOGUE_URL`. */
  readonly catalogue?: string;
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

/** Whether nothing is to be changed, whatever is found. */
export function looksOnly({ dryRun, phase }: Pick<ReconcileRequest, "dryRun" | "phase">): boolean {
  return dryRun || phase === "plan";
}

const acceptedStack = "accepted is NAME, PROJECT/NAME or ORGANISATION/PROJECT/NAME, of letters, digits, . _ -";
const stackName = /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*\/){0,2}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;
const app = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "it is not an app's name; accepted is a-z, 0-9, . _ -");
const platform = z.enum(platformSpellings, `accepted are ${acceptedPlatforms.join(", ")}`).transform(parsePlatform);
const whole = z
  .string()
  .regex(/^[1-9][0-9]{0,4}$/, "accepted is a whole number from 1 to 99999")
  .transform(Number);
const yes = z.stringbool({ truthy: ["true"], falsy: ["false"], case: "sensitive" }).default(false);
const text = z.string().exactOptional();

const schema = z
  .object({
    "--stack": z.string(acceptedStack).regex(stackName, acceptedStack),
    "--phase": z.enum(phases).default("all"),
    "--apps": z.array(app).exactOptional(),
    "--platforms": z.array(platform).exactOptional(),
    "--keep": whole.exactOptional(),
    "--digests": text,
    "--records": text,
    "--dry-run": yes,
    "--json": z.boolean(),
    "--verbose": z.boolean(),
    "--retry": yes,
    "--accept-unreadable": z.boolean(),
    "--parallel": whole.default(4),
    "--time-limit": whole.exactOptional(),
    "--state": text,
    "--config-file": text,
    "--failures": text,
    "--logs": text,
    "--strict": yes,
    "--notify": text,
    "--summary": text,
    "--result": text,
    "--emulate": yes,
    "--project": z.string(),
  })
  .refine((given) => !["build", "publish"].includes(given["--phase"]) || given["--digests"] !== undefined, {
    path: ["--digests"],
    error: "phases build and publish need the folder in which builds leave their records, and publishing finds them",
    when: ({ value }) => typeof value === "object" && value !== null,
  });

const help = `
Exit status:
  0  nothing went wrong; with --phase plan: there is nothing to do
  1  something failed; what could be published is published, and with
     --phase plan there may be something to do as well
  2  wrong usage or configuration; nothing was done
  3  only with --phase plan: nothing went wrong, and there is something to do

Versions that wait after failed builds are missing, but no failure unless
--strict is given. Credentials come from the Docker configuration (docker
login), GITHUB_TOKEN and, for key pairs, COSIGN_PASSWORD.`;

/**
 * Reads the command line. An option with an empty value is one that is not given, so that workflows can pass on inputs as
 * they are.
 * @throws CommanderError after printing help, or a line for every mistake; its `exitCode` is 0 for help.
 */
export function readRequest(argv: readonly string[], environment: NodeJS.ProcessEnv, root: string): ReconcileRequest {
  const program = commandLine(root);
  program.parse(argv, { from: "user" });
  const given = program.options
    .map((option): readonly [string, unknown] => [option.long ?? "", program.getOptionValue(option.attributeName())])
    .filter(([, value]) => value !== undefined && value !== "");
  const result = check(schema, Object.fromEntries(given));
  if (!result.success) return program.error(result.problems.map((line) => `error: ${line}`).join("\n"));
  const options = result.value;
  const path = (name: string, value: string | undefined) => (value ? { [name]: resolve(value) } : {});
  const timeLimit = options["--time-limit"];
  const catalogue = environment["CATALOGUE_URL"] ?? "";
  const address = options["--notify"] ?? environment["MIRROR_NOTIFY"];
  const notify = address ? parseWebhook(address) : undefined;
  if (address && !notify)
    return program.error(`error: --notify: (not shown, as it may be a secret); accepted is ${acceptedWebhook}`);
  return {
    stack: options["--stack"],
    phase: options["--phase"],
    dryRun: options["--dry-run"],
    json: options["--json"],
    verbose: options["--verbose"],
    retry: options["--retry"],
    strict: options["--strict"],
    acceptUnreadable: options["--accept-unreadable"],
    emulate: options["--emulate"],
    parallel: options["--parallel"],
    project: resolve(options["--project"]),
    ...(options["--apps"] && { apps: options["--apps"] }),
    ...(options["--platforms"] && { platforms: options["--platforms"] }),
    ...(options["--keep"] !== undefined && { keep: options["--keep"] }),
    ...path("digests", options["--digests"]),
    ...path("records", options["--records"]),
    ...path("configFile", options["--config-file"]),
    ...path("failures", options["--failures"]),
    ...path("logs", options["--logs"]),
    ...(notify && { notify }),
    ...path("summary", options["--summary"] ?? environment["GITHUB_STEP_SUMMARY"]),
    ...(/^https?:\/\/[^\s()<>]+$/.test(catalogue) && { catalogue }),
    ...path("result", options["--result"]),
    ...(timeLimit !== undefined && { timeLimitMs: timeLimit * 60_000 }),
    // A build phase only builds: a state that is kept would lose everything else.
    ...(options["--phase"] !== "build" && backend(options["--state"] ?? environment["PULUMI_BACKEND_URL"])),
    ...(environment["GITHUB_OUTPUT"] && { outputs: environment["GITHUB_OUTPUT"] }),
  };
}

function commandLine(root: string): Command {
  return new Command("reconcile")
    .description("Makes a registry complete: looks what is missing, builds it, publishes it, says what happened.")
    .option("--stack <name>", "stack, as in Pulumi.<name>.yaml (required)")
    .option("--phase <phase>", `part of the work: ${phases.join(", ")} (default: all)`)
    .option("--apps <names>", "only these apps, comma-separated", items)
    .option("--platforms <platforms>", "build only for these, comma-separated", items)
    .option("--keep <n>", "how many versions of each app to keep complete, whatever stack and app files say")
    .option(
      "--digests <folder>",
      "where builds leave their records, and publishing finds them (needed by those phases)",
    )
    .option("--records <folder>", "where records of what could not be published stay (default: in the cache folder)")
    .addOption(new Option("--dry-run [boolean]", "change nothing").preset("true"))
    .option("--json", "print JSON lines instead of text", false)
    .option("--verbose", "print build logs too", false)
    .addOption(new Option("--retry [boolean]", "try versions that wait after failed builds at once").preset("true"))
    .option("--accept-unreadable", "with --phase plan: what may not be read from here is no failure", false)
    .option("--parallel <n>", "resource operations at once (default: 4)")
    .option("--time-limit <minutes>", "stop after so long; what was being built counts as failed")
    .option(
      "--state <url>",
      "Pulumi backend: URL or folder (default: $PULUMI_BACKEND_URL, or one that is thrown away, as with --phase build)",
    )
    .option("--config-file <file>", "stack configuration (default: Pulumi.<stack>.yaml)")
    .option("--failures <file>", "record of failed builds, kept up to date")
    .option("--logs <folder>", "leave the whole log of each build here, a file each")
    .addOption(
      new Option("--strict [boolean]", "a version that is missing for longer than a day is a failure").preset("true"),
    )
    .option("--notify <url>", "webhook to tell of failures, recoveries and publications (default: $MIRROR_NOTIFY)")
    .option("--summary <file>", "append a Markdown summary to this file (default: $GITHUB_STEP_SUMMARY)")
    .option("--result <file>", "leave the result in this file, as JSON")
    .addOption(
      new Option("--emulate [boolean]", "plan one build job for all platforms, not one on a native runner each").preset(
        "true",
      ),
    )
    .option("--project <folder>", "folder of the Pulumi program", root)
    .addHelpText("after", help)
    .exitOverride();
}

function backend(given: string | undefined): { readonly state?: string } {
  if (!given) return {};
  return { state: /^[a-z][a-z0-9+.-]*:\/\//.test(given) ? given : `file://${resolve(given)}` };
}

/** The items of a comma-separated value. An empty item is kept, to be refused. */
function items(value: string): string | readonly string[] {
  return value === "" ? value : value.split(",").map((item) => item.trim());
}
