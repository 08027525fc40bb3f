import { mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "../../../components/engine/checkout";

/** What starts a run of a mirror: Pulumi's own CLI, or `npm run reconcile`, which looks first and starts Pulumi when there is work. */
export const entries = ["pulumi", "reconcile"] as const;

/** One of {@link entries}. */
export type Entry = (typeof entries)[number];

/** What tests run a mirror through: `MIRROR_TEST_THROUGH`, or else what they prefer. @throws Error for any other value. */
export function usualEntry(preferred: Entry = "pulumi"): Entry {
  const given = process.env["MIRROR_TEST_THROUGH"];
  const found = entries.find((entry) => entry === (given || preferred));
  if (found) return found;
  throw new Error(`MIRROR_TEST_THROUGH is ${JSON.stringify(given)}; accepted are ${entries.join(", ")}`);
}

/**
 * An environment for `reconcile` in which `pulumi` leaves its event log in a file of ours as well, since `reconcile` removes the one
 * it reads, and in which the files of a job of GitHub's that runs the tests stay as they are.
 */
export function keepingEvents(events: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(dirname(events), "path-"));
  const script = [
    "#!/bin/sh",
    'export PATH="${PATH#*:}"',
    `for argument; do [ "$last" != --event-log ] || ln -s ${events} "$argument"; last=$argument; done`,
    'exec pulumi "$@"',
  ];
  writeFileSync(join(folder, "pulumi"), script.join("\n"), { mode: 0o755 });
  return { ...environment, PATH: `${folder}:${environment["PATH"]}`, GITHUB_STEP_SUMMARY: "", GITHUB_OUTPUT: "" };
}

/** The command line of a `reconcile` that does what `pulumi` with the same words would. A version that failed does not wait. */
export function reconcileCommand(command: "preview" | "up", project: string): readonly string[] {
  const script = [join("tools", "run.cjs"), join("commands", "reconcile.ts")].map((file) => join(checkout, file));
  const looking = command === "preview" ? ["--dry-run"] : [];
  return [process.execPath, ...script, "--stack", "test", "--project", project, "--json", "--retry", ...looking];
}

/** What `reconcile --json` said, as people read it, and its messages of severity warning and error as Pulumi would have them. */
export function readSaid(output: string): { readonly text: string; readonly messages: readonly Message[] } {
  const said = output.split("\n").map((line) => ({ line, message: messageIn(line) }));
  const messages = said.flatMap(({ message }) =>
    message && ["warning", "error"].includes(message.severity) ? [message] : [],
  );
  return { text: said.map(({ line, message }) => message?.text ?? line).join("\n"), messages };
}

interface Message {
  readonly severity: string;
  readonly text: string;
}

function messageIn(line: string): Message | undefined {
  try {
    const { text, severity = "info" } = JSON.parse(line) as Partial<Message>;
    return text === undefined ? undefined : { severity, text };
  } catch {
    return undefined;
  }
}
