import { Command, CommanderError } from "commander";
import { appIssues } from "./github/appIssues";
import { GithubApi } from "./github/githubApi";
import { IssueBook } from "./github/issueBook";
import { runAddress } from "./github/runAddress";
import { readResult } from "./reconcile/result";
import { speaker } from "./reconcile/voice";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";

/** `npm run issues -- --result FILE`: one issue per app that is not complete. Exit status 0 done, 1 failed, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("issues")
    .description("Opens, updates and closes one GitHub issue per app, as the result of a run says.")
    .requiredOption("--result <file>", "result of a run, as `reconcile --result` leaves it")
    .option("--label <name>", "label of the issues", "mirror-incomplete")
    .exitOverride();
  try {
    program.parse(argv, { from: "user" });
    const { result, label } = program.opts<{ result: string; label: string }>();
    await keepIssues(result, label);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    speaker(process.stderr).text(safeText(reasonOf(error), 1000));
    return 1;
  }
}

async function keepIssues(file: string, label: string): Promise<void> {
  const run = runAddress(process.env);
  const voice = speaker();
  const book = new IssueBook(GithubApi.of(process.env), label, run && `[log of the run](${run})`);
  for (const wanted of appIssues(await readResult(file))) {
    const { app } = wanted;
    if (wanted.action === "keep") voice.text(safeText(`${app}: ${await book.keep(wanted.issue)}`));
    else if (await book.close(wanted.key, wanted.word)) voice.text(safeText(`${app}: closed`));
  }
}

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
