import { apps } from "./apps";
import { ConfigError } from "./components/config/problems";
import { changesSomething, foreseenOutcome } from "./components/declare/appOutcome";
import { plainEdges } from "./components/discover/upstreamEdges";
import type { Host } from "./components/wiring/host";
import { look } from "./look";
import type { AppSpecification } from "./components/model/appSpecification";
import { type Conclusion, conclusion, plansText } from "./components/report/conclusion";
import { buildAccess, writeAccess } from "./components/probe/writeAccess";
import type { Mistakes } from "./components/report/runFile";

/** Who looks, as {@link Host}, with the settings the stack has for the `github` provider in the place of that provider. */
export interface Looker extends Pick<
  Host,
  "stackConfig" | "environment" | "dryRun" | "stack" | "outputs" | "state" | "warn"
> {
  readonly github: Readonly<Record<string, unknown>>;
}

/** What a look found. */
export interface Looked extends Conclusion {
  /** What was found, to print. */
  readonly text: string;
  /** Carrying it out changes something in the registry. If not, this is how the run ends. */
  readonly work: boolean;
}

/**
 * config ─► discover ─► probe ─► plan, as `index.ts` does it, but without Pulumi: enough to know what there is to do.
 * @returns the mistakes where what the run was given has some.
 */
export async function lookOnly(
  { github, ...looker }: Looker,
  specifications: readonly AppSpecification[] = apps,
): Promise<Looked | (Mistakes & { readonly message: string })> {
  const { environment, dryRun } = looker;
  const mayWrite = dryRun ? undefined : writeAccess(environment);
  // Who builds will ask for himself whether he may write.
  const beforeBuild = dryRun ? buildAccess(environment) : async () => undefined;
  const host = { ...looker, upstream: plainEdges(github, environment), mayWrite, beforeBuild };
  try {
    const found = await look(specifications, host);
    const { phase } = found.config.run;
    const outcomes = new Map(found.plans.map((plan) => [plan.specification.name, foreseenOutcome(plan, phase)]));
    const ended = conclusion(found, outcomes, host);
    return { ...ended, text: plansText(found.plans, phase), work: found.plans.some(changesSomething) };
  } catch (error) {
    if (error instanceof ConfigError) return { mistakes: error.problems, message: error.message };
    throw error;
  }
}
