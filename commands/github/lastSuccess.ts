import { z } from "zod";
import type { GithubApi } from "./githubApi";

const runs = z.object({
  workflow_runs: z.array(
    z.object({
      created_at: z.iso.datetime(),
      conclusion: z.string().nullable(),
      event: z.string(),
      head_branch: z.string().nullable(),
    }),
  ),
});

const repository = z.object({ default_branch: z.string().min(1) });

/** What is known of a workflow's scheduled runs. */
export interface RunHistory {
  /** When the newest one began that succeeded. */
  readonly succeeded?: Date;
  /** When the oldest one looked at began; undefined: there is none at all. */
  readonly since?: Date;
}

/**
 * Reads the last hundred scheduled runs of a workflow that ended. Only these are about the whole mirror: a run by hand may have
 * been asked for one app, or have run on a branch that somebody tries something on. @throws GithubApiError
 */
export async function lastSuccess(api: GithubApi, workflow: string): Promise<RunHistory> {
  const branch = repository.parse(await api.send("GET", "")).default_branch;
  const query = new URLSearchParams({ event: "schedule", branch, status: "completed", per_page: "100" });
  const answer = await api.send("GET", `/actions/workflows/${encodeURIComponent(workflow)}/runs?${query.toString()}`);
  const ended = runs
    .parse(answer)
    .workflow_runs.filter((run) => run.event === "schedule" && run.head_branch === branch);
  const times = (some: typeof ended): readonly number[] => some.map(({ created_at: at }) => Date.parse(at));
  const good = times(ended.filter(({ conclusion }) => conclusion === "success"));
  const all = times(ended);
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
