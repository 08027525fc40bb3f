import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { appIssues } from "./github/appIssues";
import { GithubApi } from "./github/githubApi";
import { IssueBook } from "./github/issueBook";
import { readResult } from "./reconcile/result";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";

/** Results by what they say most about: a run that published, then one that only looked. */
const best = ["publish.json", "plan.json"];

/** `npm run issues -- --results DIR`: one issue per app that is not complete. Exit status 0 done, 1 failed, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("issues")
    .description("Opens, updates and closes one GitHub issue per app, as the result of a run says.")
    .requiredOption("--results <folder>", "folder with publish.json or plan.json, as `reconcile --result` leaves them")
    .option("--label <name>", "label of the issues", "mirror-incomplete")
    .exitOverride();
  try {
    program.parse(argv, { from: "user" });
    const { results, label } = program.opts<{ results: string; label: string }>();
    await keepIssues(results, label);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(safeText(reasonOf(error), 1000));
    return 1;
  }
}

async function keepIssues(folder: string, label: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  const name = best.find((candidate) => names.includes(candidate));
  if (name === undefined) throw new Error(`${JSON.stringify(folder)} holds neither ${best.join(" nor ")}`);
  const book = new IssueBook(GithubApi.of(process.env), label);
  for (const wanted of appIssues(await readResult(join(folder, name)))) {
    const { app } = wanted;
    if (wanted.action === "keep") console.log(safeText(`${app}: ${await book.keep(wanted.issue)}`));
    else if (await book.close(app, "Everything that was missing is published."))
      console.log(safeText(`${app}: closed`));
  }
}

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
