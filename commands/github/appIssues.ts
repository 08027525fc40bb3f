import { safeText } from "../../components/model/safeText";
import { codeBlock, inlineCode } from "../../components/report/markdown";
import type { WantedIssue } from "./issueBook";
import type { RunResult } from "../reconcile/result";

/** What is to become of an app's issue. */
export type AppIssue =
  | { readonly action: "keep"; readonly app: string; readonly issue: WantedIssue }
  | { readonly action: "close"; readonly app: string; readonly key: string; readonly word: string };

/** GitHub refuses a body longer than 65,536 characters. */
const mostEntries = 100;
const mostLogs = 4;

/**
 * One issue per app and stack that is not complete. Apps the run did not deal with are left out, and a run that was asked for part of
 * the work closes none; that of an app that was taken out of the stack is closed. The text changes only with what is missing and why, so that an issue is not edited by every run. Text
 * from upstream is put in code spans.
 */
export function appIssues({ stack, apps, versions, whole, dropped = [] }: RunResult): readonly AppIssue[] {
  const close = (app: string, word: string): AppIssue => ({ action: "close", app, key: `${stack}:${app}`, word });
  const kept = apps.flatMap(({ app, problems, upstream = [] }): AppIssue[] => {
    const own = versions.filter((version) => version.app === app);
    if (own.length === 0 && problems.length === 0) return [];
    const key = `${stack}:${app}`;
    // A version that waits for upstream, or whose images wait for the others, needs nobody here.
    const missing = own.filter(
      ({ complete, outcome, lastFailure }) =>
        !complete && outcome !== "built" && (outcome !== "waiting" || lastFailure !== undefined),
    );
    if (missing.length === 0 && problems.length === 0)
      return whole ? [close(app, "Everything that was missing is published.")] : [];
    // Nothing is known to be missing when the registry did not say.
    const unseen = missing.length > 0 && missing.every(({ outcome }) => outcome === "unknown");
    const title = unseen
      ? `Mirror: ${app} cannot be looked at in ${stack}`
      : `Mirror: ${app} is not complete in ${stack}`;
    return [
      {
        action: "keep",
        app,
        issue: { key, title, body: body(unseen, missing, problems, upstream) },
      },
    ];
  });
  return [
    ...kept,
    ...dropped.map((app) => close(app, `The stack mirrors it no longer. What is published of it stays.`)),
  ];
}

function body(
  unseen: boolean,
  missing: RunResult["versions"],
  problems: readonly string[],
  upstream: readonly string[],
): string {
  const entries = [
    ...missing.map(({ version, reason, lastFailure = reason, log }, position) => {
      // When it is tried next changes with every try; the summary says it. The record of failures holds shortened reasons.
      const why = lastFailure === undefined ? "" : `: ${inlineCode(safeText(lastFailure))}`;
      // Indented, the block belongs to the item.
      const printed = log && position < mostLogs ? `\n\n${codeBlock(log)}\n`.replace(/\n(?=.)/g, "\n  ") : "";
      return `- ${inlineCode(version)}${why}${printed}`;
    }),
    ...problems.map((problem) => `- ${inlineCode(problem)}`),
  ];
  const more = entries.length > mostEntries ? [`- and ${entries.length - mostEntries} more`] : [];
  return [
    `${unseen ? "Whether these are in the mirror could not be found out" : "These are not in the mirror as they should be"}. ` +
      "Later runs try again by themselves, a build that keeps failing less and less often; a run by hand tries at once. " +
      "This issue is updated, and closed once all is there.",
    [...entries.slice(0, mostEntries), ...more].join("\n"),
    ...(upstream.length === 0
      ? []
      : [`Of upstream's own image:\n${upstream.map((line) => `- ${inlineCode(line)}`).join("\n")}`]),
  ].join("\n\n");
}
