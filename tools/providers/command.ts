import { randomBytes } from "node:crypto";
import { z } from "zod";
import { runCommand } from "./runCommand";
import { secret, unknownValue } from "./secret";
import type { Operation, Properties, Refusal, StandIn } from "./standIn";

const logging = z.enum(["none", "stdout", "stderr", "stdoutAndStderr"]);

const commandInputs = z.object({
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  command: z.string().optional(),
  interpreter: z.array(z.string()).optional(),
  dir: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  stdin: z.string().optional(),
  triggers: z.array(z.unknown()).optional(),
  logging: logging.optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
});

type CommandInputs = z.infer<typeof commandInputs>;

/**
 * Stand-in for the Pulumi package `command`: the function `command:local:run` and the resource
 * `command:local:Command`, as pulumi-command runs them (an update without `update` runs `create` again, a changed
 * trigger replaces, the previous output is in PULUMI_COMMAND_STDOUT and _STDERR). Files as outputs and everything
 * `remote` is refused.
 *
 * Compared with pulumi-command 1.2.1, input by input: defaults of interpreter, folder and logging, what is in the environment,
 * the newline each stream loses, what a preview and a failure say, and what is secret are the same. Different on purpose: a
 * time-out kills all that the command started, nothing is logged when an input is secret, and a line may be longer than 64 KiB
 * (the official provider reads no further then, and the command waits for ever).
 */
export function commandStandIn(version: string): StandIn {
  return {
    version,
    replacedBy: ["triggers"],
    cancel: () => runCommand.endAll(),
    check: (type, inputs) =>
      type === "command:local:Command" ? refusals(inputs) : [{ property: "", reason: unsupported(type) }],
    invoke: async (token, args) => {
      if (token !== "command:local:run") {
        throw new Error(unsupported(token));
      }
      const opened = secret.openAll(args);
      const refused =
        typeof opened["command"] === "string" ? [] : [{ property: "command", reason: "must be a string" }];
      const failures = [...refused, ...refusals(opened)];
      return failures.length > 0 ? failures : run(undefined, args, undefined, (inputs) => inputs.command);
    },
    create: async (operation, inputs) => ({
      id: `${operation.name}${randomBytes(4).toString("hex")}`,
      outputs: await run(operation, inputs, undefined, (parsed) => parsed.create),
    }),
    update: (operation, olds, news) => run(operation, news, olds, (parsed) => parsed.update ?? parsed.create),
    delete: async (operation, outputs) => {
      await run(operation, outputs, outputs, (parsed) => parsed.delete);
    },
  };
}

function unsupported(token: string): string {
  return (
    `the stand-in for the package "command" knows command:local:run and command:local:Command, not ` +
    `${JSON.stringify(token)}; install the official plugin for everything else`
  );
}

function refusals(inputs: Properties): Refusal[] {
  const files = ["assetPaths", "archivePaths"]
    .filter((property) => inputs[property] !== undefined)
    .map((property) => ({
      property,
      reason: "not supported by the stand-in for the package command; write to stdout or install the official plugin",
    }));
  const unknownAccepted = Object.entries(inputs).filter(([, value]) => !holdsUnknown(value));
  const parsed = commandInputs.safeParse(Object.fromEntries(unknownAccepted));
  const issues = parsed.error?.issues ?? [];
  return [...files, ...issues.map((issue) => ({ property: issue.path.join("."), reason: issue.message }))];
}

function holdsUnknown(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(unknownValue);
}

/** Runs the command that `choose` picks and returns the outputs: all inputs, stdout and stderr. */
async function run(
  operation: Operation | undefined,
  properties: Properties,
  previous: Properties | undefined,
  choose: (inputs: CommandInputs) => string | undefined,
): Promise<Properties> {
  const protect = Object.entries(properties).some(([name, value]) => !isStream(name) && secret.isIn(value))
    ? (value: string) => secret.wrap(value)
    : (value: string) => value;
  if (operation?.preview === true) {
    return { ...properties, stdout: protect(unknownValue), stderr: protect(unknownValue) };
  }
  const inputs = commandInputs.parse(secret.openAll(properties));
  const command = choose(inputs);
  if (command === undefined) {
    return { ...properties, stdout: previous?.["stdout"] ?? "", stderr: previous?.["stderr"] ?? "" };
  }
  const { stdout, stderr } = await runCommand({
    command,
    interpreter: inputs.interpreter ?? [],
    directory: inputs.dir,
    environment: { ...inputs.environment, ...previousOutput(inputs, previous) },
    stdin: inputs.stdin,
    timeout: operation?.timeout,
    watch: operation === undefined || secret.isIn(properties) ? undefined : logLines(operation, inputs),
  });
  return { ...properties, stdout: protect(stdout), stderr: protect(stderr) };
}

function isStream(name: string): boolean {
  return name === "stdout" || name === "stderr";
}

function previousOutput(inputs: CommandInputs, previous: Properties | undefined): Record<string, string> {
  if (previous === undefined || inputs.addPreviousOutputInEnv === false) {
    return {};
  }
  const opened = secret.openAll(previous);
  const found = { PULUMI_COMMAND_STDOUT: opened["stdout"], PULUMI_COMMAND_STDERR: opened["stderr"] };
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== ""),
  );
}

function logLines(operation: Operation, inputs: CommandInputs): (stream: "stdout" | "stderr", line: string) => void {
  const mode = inputs.logging ?? "stdoutAndStderr";
  return (stream, line) => {
    if (line !== "" && (mode === stream || mode === "stdoutAndStderr")) operation.log(line);
  };
}
