import { z } from "zod";
import type { GithubApi } from "./githubApi";

const schema = z.object({ state: z.string() });

/** What GitHub disables by itself, and what would be disabled next. Everything else somebody wanted so. */
const ours: readonly string[] = ["active", "disabled_inactivity"];

/**
 * Enables a workflow that runs, which starts GitHub's 60 days anew, or that GitHub disabled after them. One that somebody
 * disabled is left so.
 * @returns the state it was in, such as `disabled_manually`. @throws GithubApiError
 */
export async function keepAlive(api: GithubApi, workflow: string): Promise<string> {
  const path = `/actions/workflows/${encodeURIComponent(workflow)}`;
  const { state } = schema.parse(await api.send("GET", path));
  if (ours.includes(state)) await api.send("PUT", `${path}/enable`);
  return state;
}
