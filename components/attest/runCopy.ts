import { failureLines, ReasonedError } from "../model/reasonOf";
import { FallbackList, withDigest } from "../registry/fallbackReferrers";
import { RegistryClient } from "../registry/registryClient";
import { RegistryWriter } from "../registry/registryWriter";
import { type Clock, systemClock } from "../system/clock";
import { type CopySummary, copyPlanVariable, copyReferrers, parseCopyPlan } from "./copyReferrers";

const totalMs = 20 * 60 * 1000;

/**
 * Copies the referrers of one version: reads a plan from the environment and gives what was done.
 * @throws ReasonedError when something is still missing at the end.
 */
export async function run(
  environment: NodeJS.ProcessEnv,
  clock: Pick<Clock, "sleep"> = systemClock,
): Promise<CopySummary> {
  const plan = parseCopyPlan(environment[copyPlanVariable]);
  const reader = new RegistryClient({ environment });
  const writer = new RegistryWriter(environment);
  const deadline = AbortSignal.timeout(totalMs);
  try {
    return await copyReferrers(plan, {
      reader,
      writer,
      lists: new FallbackList(reader, writer),
      locked: (reference, work) => withDigest(reference, deadline, work),
      sleep: (milliseconds) => clock.sleep(milliseconds),
    });
  } catch (cause) {
    throw new ReasonedError(`${plan.to}@${plan.indexDigest} lacks what upstream attached in ${plan.from}`, cause);
  } finally {
    await Promise.all([reader.close(), writer.close()]);
  }
}

/** Runs as a process of its own, started by Pulumi's `local.Command`: status 0 and the summary as JSON, or 1 with the reason in the last line on standard error. */
export async function main(): Promise<void> {
  try {
    process.stdout.write(`${JSON.stringify(await run(process.env))}\n`);
  } catch (error) {
    process.stderr.write(`${failureLines(error)}\n`);
    process.exitCode = 1;
  }
}
