import { Command, CommanderError } from "commander";
import { GithubApi } from "./github/githubApi";
import { IssueBook } from "./github/issueBook";
import { keepAlive } from "./github/keepAlive";
import { isOverdue, lastSuccess } from "./github/lastSuccess";
import { speaker } from "./reconcile/voice";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";

interface Options {
  readonly workflow: string;
  readonly keepAlive: string;
  readonly hours: string;
  readonly label: string;
}

const key = "watchdog";

/**
 * `npm run heartbeat`: keeps schedules from being disabled, and opens an issue when no scheduled run of the mirror has
 * succeeded for too long; the next success closes it. Exit status 0 done, 1 failed, 2 usage.
 */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("heartbeat")
    .description("Keeps scheduled workflows enabled and looks whether the mirror still succeeds.")
    .option("--workflow <file>", "workflow that has to succeed", "mirror.yml")
    .option("--keep-alive <files>", "workflows to enable, comma-separated", "mirror.yml,heartbeat.yml")
    .option("--hours <n>", "how long without success is too long", "24")
    .option("--label <name>", "label of the issue", "mirror-watchdog")
    .exitOverride();
  try {
    program.parse(argv, { from: "user" });
    const options = program.opts<Options>();
    if (!/^[1-9][0-9]{0,3}$/.test(options.hours))
      program.error(`error: --hours ${JSON.stringify(options.hours)} is not a number`);
    return await beat(GithubApi.of(process.env), options);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return complain(error);
  }
}

/** Looks even if enabling fails: each is worth having without the other. */
async function beat(api: GithubApi, { workflow, keepAlive: kept, hours, label }: Options): Promise<number> {
  let status = 0;
  const states = new Map<string, string>();
  for (const name of kept.split(",").map((item) => item.trim())) {
    try {
      const state = await keepAlive(api, name);
      states.set(name, state);
      if (state !== "active") speaker().text(`${name} was ${state}`);
    } catch (error) {
      status = complain(error);
    }
  }
  // Who disabled the mirror knows that it does not run.
  if (states.get(workflow) === "disabled_manually") return status;
  const history = await lastSuccess(api, workflow);
  const book = new IssueBook(api, label);
  if (!isOverdue(history, Number(hours), new Date())) {
    if (await book.close(key, "A scheduled run has succeeded.")) speaker().text("closed the issue");
    return status;
  }
  const last = history.succeeded?.toISOString().replace(/:\d\d\.\d+/, "") ?? "never, as far back as can be seen";
  const title = `Mirror: no scheduled run has succeeded for ${hours} hours`;
  const body = `The last success of \`${workflow}\` by its schedule was: ${last}. ${runsOf(workflow)}, or that there are none, say why. The next success closes this issue.`;
  speaker().text(`${title}: issue ${await book.keep({ key, title, body })}`);
  return status;
}

/** Its runs, as Markdown. */
function runsOf(workflow: string): string {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  return server && repository ? `[Its runs](${server}/${repository}/actions/workflows/${workflow})` : "Its runs";
}

function complain(error: unknown): number {
  speaker(process.stderr).text(safeText(reasonOf(error), 1000));
  return 1;
}

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
