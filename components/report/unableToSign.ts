import { missingIdentityToken } from "../attest/signing";
import type { Configuration } from "../config/configuration";
import type { AppPlan } from "../decide/appPlan";
import { writesIndex } from "../decide/versionPlan";
import { attestationGaps } from "./runFile";

/**
 * Why this machine cannot sign what the plans would have it sign; told before hours of builds that get no tag. In GitHub Actions other
 * jobs plan and build than the one that may sign.
 */
export function unableToSign(
  { attest, run }: Pick<Configuration, "attest" | "run">,
  plans: readonly AppPlan[],
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const elsewhere = run.phase === "build" || environment["GITHUB_ACTIONS"] === "true";
  if (attest.signing.mode !== "keyless" || elsewhere) return undefined;
  const signs = plans.some(
    (plan) =>
      plan.versions.some((version) => writesIndex(version.plan)) ||
      [...attestationGaps(plan).values()].some((gaps) => gaps.length > 0),
  );
  return signs ? missingIdentityToken(environment) : undefined;
}
