import { z } from "zod";
import type { GithubApi } from "./githubApi";

const schema = z.object({
  workflow_runs: z.array(
    z.object({ created_at: z.iso.datetime(), conclusion: z.string().nullable(), display_title: z.string() }),
  ),
});

/** What is known of a workflow's runs. */
export interface RunHistory {
  /** When the newest run began that succeeded and was no dry run. */
  readonly succeeded?: Date;
  /** When the oldest run looked at began; undefined: there is no run at all. */
  readonly since?: Date;
}

/** Reads the last hundred runs of a workflow that ended, on the branch its schedule runs on. @throws GithubApiError */
export async function lastSuccess(api: GithubApi, workflow: string): Promise<RunHistory> {
  const answer = await api.send(
    "GET",
    `/actions/workflows/${encodeURIComponent(workflow)}/runs?status=completed&per_page=100`,
  );
  const runs = schema.parse(answer).workflow_runs.filter(({ display_title: title }) => !title.includes("(dry run)"));
  const times = (some: typeof runs): readonly number[] => some.map(({ created_at: at }) => Date.parse(at));
  const good = times(runs.filter(({ conclusion }) => conclusion === "success"));
  const all = times(runs);
  return {
    ...(good.length > 0 && { succeeded: new Date(Math.max(...good)) }),
    ...(all.length > 0 && { since: new Date(Math.min(...all)) }),
  };
}

/** Whether somebody should be told: no run has succeeded for so many hours, though runs there were. */
export function isOverdue({ succeeded, since }: RunHistory, hours: number, now: Date): boolean {
  const last = succeeded ?? since;
  return last !== undefined && now.getTime() - last.getTime() > hours * 3_600_000;
}
