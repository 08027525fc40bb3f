import { appendFile } from "node:fs/promises";
import { codeBlock } from "../../components/report/markdown";
import type { BuildJob } from "./buildJobs";

/** Outputs of a planning step. */
export interface StepOutputs {
  /** There is something to publish. */
  readonly work: boolean;
  /** Matrix of the build jobs; empty: nothing has to be built. */
  readonly jobs: readonly BuildJob[];
  /** How many versions are not complete. */
  readonly missing: number;
}

/** GitHub cuts a step's summary off at 1 MiB, and then shows nothing of it. */
const summaryLimit = 900 * 1024;

/** Appends the outputs to the file `$GITHUB_OUTPUT` names. None of the values can hold a line break. */
export async function writeStepOutputs(file: string, { work, jobs, missing }: StepOutputs): Promise<void> {
  await appendFile(file, `work=${work}\njobs=${JSON.stringify(jobs)}\nmissing=${missing}\n`);
}

/** Appends a Markdown summary, cut off at a line when it is longer than GitHub shows. */
export async function writeSummary(file: string, markdown: string): Promise<void> {
  await appendFile(file, `${shortened(markdown)}\n`);
}

/** How many lines of why a run broke off its summary shows. */
const shownLines = 20;

/** The summary of a run that ended without a result, for the reason given. */
export function brokenOff(why: string): string {
  const lines = why.split("\n").filter((line) => line.trim() !== "");
  const shown = lines.length > shownLines ? [...lines.slice(0, shownLines), "… the log has all of it"] : lines;
  return ["## Mirror", "**The run broke off:**", codeBlock(shown)].join("\n\n");
}

function shortened(markdown: string): string {
  const bytes = Buffer.from(markdown);
  if (bytes.length <= summaryLimit) return markdown;
  const kept = bytes
    .subarray(0, summaryLimit)
    .toString()
    .replace(/[^\n]*$/, "");
  // A fence that is open would swallow what follows.
  const fence = (kept.match(/^```/gm) ?? []).length % 2 === 1 ? "```\n" : "";
  return `${kept}${fence}\nThe summary is longer than can be shown; the log has all of it.\n`;
}
