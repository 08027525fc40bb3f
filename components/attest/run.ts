import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { platformSlug } from "../model/platform";
import { failureLines, ReasonedError } from "../model/reasonOf";
import { isSbomOf } from "../model/sbom";
import { type Clock, systemClock } from "../system/clock";
import { type RunProcess, runProcess } from "../system/process";
import type { WriterEdges } from "./attestationWriter";
import { type AttestPlan, parseAttestPlan, planVariable } from "./attestPlan";
import { type AttestedIndex, type AttestSummary, attestVersion, examineIndex } from "./attestVersion";
import { mirrorPredicate } from "./mirrorPredicate";
import { imageProvenance, provenance } from "./provenance";
import { atWorkplace, type Workplace } from "./workplace";

/**
 * Attests one version: reads an {@link AttestPlan} from environment and standard input and gives what was done.
 * @throws ReasonedError when the version is not fully attested at the end.
 */
export async function run(
  input: string,
  environment: NodeJS.ProcessEnv,
  root: string,
  tool: RunProcess = runProcess,
  clock: Pick<Clock, "sleep"> = systemClock,
): Promise<AttestSummary> {
  const plan = parseAttestPlan(environment[planVariable], input);
  if (plan.config.signing.mode === "off") return { digest: plan.indexDigest, platforms: {}, added: [] };
  try {
    return await atWorkplace(
      plan.config,
      { environment, root, tool, clock, limits: plan.limits },
      async (workplace) => {
        const index = await examineIndex(plan, workplace);
        const writer = workplace.writer(plan.repository, {
          sbom: sboms(plan, workplace),
          predicate: predicates(plan, index, workplace),
        });
        return await attestVersion(plan, index, { ...workplace, writer });
      },
    );
  } catch (cause) {
    throw new ReasonedError(`${plan.repository}@${plan.indexDigest} is not fully attested`, cause);
  }
}

/** SBOMs are made where the images are; what is published already carries its own, signed by us. Nothing is scanned here. */
function sboms({ sboms: made }: AttestPlan, { cosign, directory }: Workplace): WriterEdges["sbom"] {
  return async (subject) => {
    const { repository, digest, platform } = subject;
    const own = made[platform];
    if (own !== undefined) return own;
    const found = await cosign.statements(`${repository}@${digest}`, "sbom");
    const statement = found.find(({ predicate }) => isSbomOf(predicate, subject));
    if (!statement) throw new Error(`no build run handed over an SBOM for ${platform}, and its image carries none`);
    const file = join(directory, `sbom-${platformSlug(platform)}.json`);
    await writeFile(file, JSON.stringify(statement.predicate));
    return file;
  };
}

/** Writes predicates about the version as a whole, and about the images built for it, to files. */
function predicates(
  { repository, indexDigest }: AttestPlan,
  { record }: AttestedIndex,
  { directory }: Workplace,
): WriterEdges["predicate"] {
  return async ({ kind, platform }, platforms) => {
    if (record === undefined) throw new Error(`there is no build record to write the ${kind} from`);
    const image = { repository, digest: indexDigest, platforms };
    const build = platform && record.builds.find((one) => one.platform === platform);
    const stated = build ? imageProvenance(build) : provenance(record, platforms);
    const predicate = kind === "provenance" ? stated : mirrorPredicate(record, image);
    const file = join(directory, `${kind}${platform === undefined ? "" : `-${platformSlug(platform)}`}.json`);
    await writeFile(file, JSON.stringify(predicate));
    return file;
  };
}

/** Runs as a process of its own, started by Pulumi's `local.Command` in the project's root: status 0 and the summary as JSON, or 1 with the reason in the last line on standard error. */
export async function main(): Promise<void> {
  try {
    const summary = await run(await text(process.stdin), process.env, process.cwd());
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  } catch (error) {
    process.stderr.write(`${failureLines(error)}\n`);
    // Tools that still run end with this process.
    process.exit(1);
  }
}
