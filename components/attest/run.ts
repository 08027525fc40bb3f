import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Clock, systemClock } from "../system/clock";
import { Limiter } from "../system/limiter";
import { RegistryClient } from "../registry/registryClient";
import { RegistryWriter } from "../registry/registryWriter";
import { type AttestPlan, parseAttestPlan, planVariable } from "./attestPlan";
import { type AttestSummary, attestVersion } from "./attestVersion";
import { AttestationWriter, type WriterEdges } from "./attestationWriter";
import type { BuildRecord } from "../model/buildRecord";
import { withDigest } from "./digestLock";
import { FallbackList } from "../registry/fallbackReferrers";
import { mirrorPredicate } from "./mirrorPredicate";
import { provenance } from "./provenance";
import { makeSbom } from "./sbom";
import { type RunProcess, runProcess } from "../system/process";
import { reasonOf } from "../model/reasonOf";
import { cosignFor } from "./cosign";
import { expectedSigner, strangerProblem } from "../config/expectedSigner";
import { missingIdentityToken } from "./signing";
import { syftEnvironment } from "./tools";

/**
 * Attests one version: reads an {@link AttestPlan} from environment and standard input and gives what was done.
 * @throws Error with the reason when the version is not fully attested at the end.
 */
export async function run(
  input: string,
  environment: NodeJS.ProcessEnv,
  root: string,
  tool: RunProcess = runProcess,
  clock: Pick<Clock, "sleep"> = systemClock,
): Promise<AttestSummary> {
  const plan = parseAttestPlan(environment[planVariable], input);
  const now = new Date().toISOString();
  const directory = await mkdtemp(join(tmpdir(), "attest-"));
  const client = new RegistryClient({ environment });
  const writer = new RegistryWriter(environment);
  try {
    return await attest(plan, { environment, root, directory, client, writer, now, tool, clock });
  } catch (cause) {
    const message = reasonOf(cause);
    throw new Error(`${plan.repository}@${plan.indexDigest} is not fully attested: ${message}`, { cause });
  } finally {
    await Promise.all([client.close(), writer.close()]);
    await rm(directory, { recursive: true, force: true });
  }
}

interface Workplace {
  readonly environment: NodeJS.ProcessEnv;
  readonly root: string;
  readonly directory: string;
  readonly client: RegistryClient;
  readonly writer: RegistryWriter;
  readonly now: string;
  readonly tool: RunProcess;
  readonly clock: Pick<Clock, "sleep">;
}

async function attest(plan: AttestPlan, place: Workplace): Promise<AttestSummary> {
  const { environment, directory, client } = place;
  const { signing } = plan.config;
  if (signing.mode === "off") return { digest: plan.indexDigest, platforms: {}, added: [] };
  const limitMs = plan.limits.cosignSeconds * 1000;
  const cosign = await cosignFor(signing, { run: place.tool, environment, directory, root: place.root, limitMs });
  const signer = await expectedSigner(signing, place.root, environment);
  const fallback = new FallbackList(client, place.writer);
  const scans = new Limiter(availableParallelism());
  const syft = {
    run: place.tool,
    environment: syftEnvironment(environment, signing),
    directory,
    limitMs: plan.limits.syftSeconds * 1000,
  };
  const deadline = AbortSignal.timeout(plan.limits.totalSeconds * 1000);
  const writer = new AttestationWriter(plan.repository, {
    reader: client,
    signer,
    cosign,
    locked: (reference, write) => withDigest(reference, deadline, write),
    sbom: (subject) => scans.run(() => makeSbom(subject, syft)),
    predicate: predicates(plan, place),
    prune: (digest, dangling) => fallback.prune(plan.repository, digest, dangling),
    deadline,
  });
  const cannotSign = (): string | undefined =>
    signing.mode === "keyless"
      ? (strangerProblem(signing, environment) ?? missingIdentityToken(environment))
      : undefined;
  return attestVersion(plan, {
    reader: client,
    signer,
    cosign,
    writer,
    cannotSign,
    sleep: (milliseconds) => place.clock.sleep(milliseconds),
    deadline,
  });
}

/** Writes predicates to files, each when it is first asked for. */
function predicates(plan: AttestPlan, { directory, now }: Workplace): WriterEdges["predicate"] {
  return async (kind, platforms) => {
    if (plan.record === undefined) throw new Error(`there is no build record to write the ${kind} from`);
    const record = plan.builtNow ? finished(plan.record, now) : plan.record;
    const image = { repository: plan.repository, digest: plan.indexDigest, platforms };
    const predicate = kind === "provenance" ? provenance(record, platforms) : mirrorPredicate(record, image);
    const file = join(directory, `${kind}.json`);
    await writeFile(file, JSON.stringify(predicate));
    return file;
  };
}

/** A build of this run is over when attesting begins. */
function finished(record: BuildRecord, now: string): BuildRecord {
  return record.run === undefined ? record : { ...record, run: { finishedOn: now, ...record.run } };
}

/** Runs as a process of its own, started by Pulumi's `local.Command` in the project's root: status 0 and the summary as JSON, or 1 with the reason as one line on standard error. */
export async function main(): Promise<void> {
  try {
    const summary = await run(await text(process.stdin), process.env, process.cwd());
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    // Tools that still run end with this process.
    process.exit(1);
  }
}
