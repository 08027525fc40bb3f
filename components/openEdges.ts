import * as pulumi from "@pulumi/pulumi";
import { checkout } from "./engine/checkout";
import { runContext } from "./model/runContext";
import { projectSource } from "./system/projectSource";
import { trustServices } from "./attest/trustServices";
import { keptRecord, writeRecord } from "./handover/recordFolder";
import { join } from "node:path";
import { type BaseRegistry, baseRegistry, imageManifest } from "./probe/baseRegistry";
import { buildCache } from "./declare/mirroredImage";
import { checkBeforeTag, checksMade, describeCheck } from "./check/checkBeforeTag";
import { failureKey, type FailureRecord, waitOf } from "./decide/backoff";
import { readFailureFile } from "./report/failureFile";
import { builderFor } from "./config/mirrorConfig";
import type { Configuration } from "./config/configuration";
import type { FindVersion } from "./declare/declareApps";
import { attestationProbe } from "./probe/attestationProbe";
import { describeReferrer, missingReferrers } from "./probe/missingReferrers";
import { RegistryClient } from "./registry/registryClient";
import { readStackState, type StackState } from "./probe/stackState";
import { AppBases } from "./plan/appBases";
import { buildTarget } from "./model/buildTarget";
import { cacheDirectory } from "./system/cacheDirectory";
import { prepareBuild, type RecipeEdges } from "./plan/buildRecipes";
import type { StateEdges } from "./plan/alignWithState";
import type { PlanOf } from "./plan/planApps";
import type { PlanEdges } from "./plan/planEdges";
import { discover } from "./discover/discover";
import { pulumiEdges } from "./discover/upstreamEdges";
import { fileTransport, upstreamFiles } from "./discover/upstreamFiles";
import { selectWindow } from "./decide/window";
import type { VersionServices } from "./declare/versionServices";
import { readSource } from "./discover/sourceTree";
import { probeFor, holding } from "./probe/probeTag";
import { repositoryOf } from "./model/repository";
import { writeAccess } from "./probe/writeAccess";

/** Every way the program reaches the outside, over one registry client. */
export interface Edges {
  readonly plan: (planOf: PlanOf) => PlanEdges;
  readonly services: (find: FindVersion) => VersionServices;
  readonly state: StateEdges;
  readonly registry: RegistryClient;
}

/** Opens the edges of a run. Sends nothing yet. */
export function openEdges(config: Configuration): Edges {
  const registry = new RegistryClient();
  const upstream = pulumiEdges(fileTransport(), registry);
  const bases = appBaseRegistries(config);
  const files = upstreamFiles();
  const mayWrite = writeAccess(process.env);
  // All of a run counts from here.
  const startedAt = new Date();
  const startedOn = startedAt.toISOString();
  const trust = trustServices(config.attest, (text) => pulumi.log.warn(text));
  const run = runContext(process.env, startedOn, projectSource(checkout));
  const failures: Promise<FailureRecord> =
    config.run.failures === undefined ? Promise.resolve({}) : readFailureFile(config.run.failures);
  let state: Promise<StackState> | undefined;
  let accepted: Promise<boolean> | undefined;
  const accepts = () => (accepted ??= registry.accepts(config.registry));
  const probe: PlanEdges["probe"] = (reference, options) => probeFor(reference, registry, config, accepts, options);
  return {
    registry,
    state: { state: () => (state ??= readStackState()), exists: (reference) => registry.exists(reference) },
    plan: (planOf) => {
      const find: PlanEdges["discover"] = (specification, { repository, ...window }) =>
        discover(specification, {
          edges: upstream,
          wanted: (releases) => selectWindow(releases, { ...window, now: startedAt }).releases,
          ...(repository && { repository }),
        });
      const appBases = new AppBases(config, planOf, { probe, discover: find, offer: files.offer });
      return {
        now: startedAt,
        probe,
        discover: find,
        labels: async (reference) => labelsOf(registry, reference),
        offer: (specification, target) => appBases.offer(specification, target),
        attestations: attestationProbe(registry, config),
        missingReferrers: async (copies) => (await missingReferrers(copies, registry)).map(describeReferrer),
        wait: async (app, version) => waitOf((await failures)[failureKey(app, version)], startedAt),
        run: { phase: config.run.phase, covers: (platform) => config.run.platforms?.includes(platform) ?? true },
        prepare: async (request) => {
          const prepared = await prepareBuild(request, {
            bases,
            appBases,
            readSource: (wanted) => readSource({ ...wanted, cacheDirectory: cacheDirectory() }),
            checksums: (specification, release, platform) =>
              files.checksums(specification, buildTarget(release, platform)),
          });
          // A preview needs no write credentials.
          if (!pulumi.runtime.isDryRun()) await mayWrite(repositoryOf(config, request.specification.name));
          return prepared;
        },
      };
    },
    services: (find) => ({
      check: async (image) => {
        const report = await checkBeforeTag(image, registry, config.builder);
        await pulumi.log.info(describeCheck(image, report));
        return checksMade(image, report);
      },
      keepRecord: async (record, reference) =>
        (await keptRecord(recordFolder(config), record)) ??
        writeRecord(recordFolder(config), record, await trust.scan(record, reference)),
      ...trust,
      run,
      phase: config.run.phase,
      attest: { config: config.attest, startedOn },
      lookAgain: async (reference) => holding(reference, await probe(reference)),
      builder: (platform) => builderFor(config.builder, platform),
      cache: (name, platform) => buildCache(config, name, platform),
      imageOf: (app, version, platform) => {
        const image = find(app, version)?.images[platform];
        if (image) return image;
        throw new Error(`no image of ${app} ${version} for ${platform} is declared in this run`);
      },
    }),
  };
}

/** What apps build on is read by clients of their own, so that no app waits for the hosts another one's Dockerfile names. */
function appBaseRegistries({ registry, namespace }: Configuration): RecipeEdges["bases"] {
  const opened = new Map<string, BaseRegistry>();
  return ({ name, privateBases = [] }) => {
    const known = opened.get(name);
    if (known) return known;
    const readers = { own: new RegistryClient(), anonymous: new RegistryClient({ anonymous: true }) };
    const fresh = baseRegistry(readers, { registry, namespace, privateBases });
    opened.set(name, fresh);
    return fresh;
  };
}

/** Where the records of a run's images are kept: where it is told to hand them over, else in a corner of the stack's own. */
function recordFolder({ run, registry, namespace }: Configuration): string {
  return run.digests ?? join(cacheDirectory(), "records", registry, namespace);
}

async function labelsOf(registry: RegistryClient, reference: string): Promise<Readonly<Record<string, string>>> {
  const manifest = await imageManifest(registry, reference);
  return (await registry.imageConfig(reference.replace(/@.*$/, ""), manifest)).labels;
}
