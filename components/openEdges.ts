import * as pulumi from "@pulumi/pulumi";
import { baseRegistry } from "./baseRegistry";
import { buildCache } from "./buildCache";
import { checkBeforeTag } from "./checkBeforeTag";
import { describeCheck } from "./describeCheck";
import { failureKey, type FailureRecord, waitOf } from "./backoff";
import { readFailureFile } from "./failureFile";
import { builderFor } from "./config/builder";
import type { Configuration } from "./configure";
import type { MirroredVersion } from "./mirroredVersion";
import { attestationEdges } from "./attestationEdges";
import type { Probe } from "./plan/probe";
import { describeReferrer, missingReferrers } from "./referrers/missingReferrers";
import { RegistryClient } from "./registry/registryClient";
import { readStackState } from "./stackState";
import { AppBases } from "./survey/appBases";
import { buildTarget } from "./survey/buildTarget";
import { cacheDirectory } from "./cacheDirectory";
import { type PrepareEdges, prepareBuild, type SourceRequest } from "./survey/prepareBuild";
import type { StateEdges } from "./survey/alignWithState";
import type { PlanOf } from "./survey/surveyApps";
import type { SurveyEdges } from "./survey/surveyEdges";
import { discover } from "./upstream/discover";
import { pulumiEdges } from "./upstream/pulumiEdges";
import { upstreamFiles } from "./upstreamFiles";
import type { TagHolding, VersionEdges } from "./versionEdges";
import { readSource } from "./upstream/sourceTree";

/** Every way the program reaches the outside, over one registry client. */
export interface Edges {
  readonly survey: (planOf: PlanOf) => SurveyEdges;
  readonly version: (find: (app: string, version: string) => MirroredVersion | undefined) => VersionEdges;
  readonly state: StateEdges;
  readonly registry: RegistryClient;
}

/** Opens the edges of a run. Sends nothing yet. */
export function openEdges(config: Configuration): Edges {
  const registry = new RegistryClient();
  const upstream = pulumiEdges();
  const bases = baseRegistry(registry);
  const files = upstreamFiles();
  const startedAt = new Date();
  const startedOn = startedAt.toISOString();
  const failures: Promise<FailureRecord> =
    config.run.failures === undefined ? Promise.resolve({}) : readFailureFile(config.run.failures);
  let accepted: Promise<boolean> | undefined;
  const accepts = () => (accepted ??= registry.accepts(config.registry));
  const probe: SurveyEdges["probe"] = (reference, options) => probeFor(reference, registry, config, accepts, options);
  return {
    registry,
    state: { state: readStackState, exists: (reference) => registry.exists(reference) },
    survey: (planOf) => {
      const find: SurveyEdges["discover"] = (specification, { repository }) =>
        discover(specification, { edges: upstream, ...(repository && { repository }) });
      const appBases = new AppBases(config, { planOf, probe, discover: find, offer: files.offer });
      return {
        now: new Date(),
        probe,
        discover: find,
        offer: (specification, target) => appBases.offer(specification, target),
        attestations: attestationEdges(registry, config),
        missingReferrers: async (copies) => (await missingReferrers(copies, registry)).map(describeReferrer),
        wait: async (app, version) => waitOf((await failures)[failureKey(app, version)], startedAt),
        run: { phase: config.run.phase, covers: (platform) => config.run.platforms?.includes(platform) ?? true },
        prepare: (request) =>
          prepareBuild(request, {
            edges: {
              bases,
              appBases,
              readSource: readOne,
              checksums: (specification, release, platform) =>
                files.checksums(specification, buildTarget(release, platform)),
            },
          }),
      };
    },
    version: (find) => ({
      check: async (image) => {
        const report = await checkBeforeTag(image, registry, config.builder);
        await pulumi.log.info(describeCheck(image, report));
      },
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

/**
 * The probe as the stack configuration wants it read: some registries answer 403 for a package that does not exist yet. For an
 * app listed under `newPackages` that counts as absent, provided the same credentials are accepted by the registry itself.
 */
async function probeFor(
  reference: string,
  registry: Pick<RegistryClient, "probe">,
  config: Pick<Configuration, "newPackages" | "registry" | "namespace">,
  accepts: () => Promise<boolean>,
  options?: { readonly skipChildren?: boolean },
): Promise<Probe> {
  const probe = await registry.probe(reference, options);
  if (probe.state !== "unknown" || probe.cause !== "authorisation") return probe;
  const isNew = config.newPackages.some((app) =>
    reference.startsWith(`${config.registry}/${config.namespace}/${app}:`),
  );
  // A registry that does not answer this question clearly proves nothing.
  return isNew && (await accepts().catch(() => false)) ? { state: "absent" } : probe;
}

async function readOne({ path, ...request }: SourceRequest): ReturnType<PrepareEdges["readSource"]> {
  const paths = path === undefined ? [] : [path];
  const { files, committedAt } = await readSource({ ...request, paths, cacheDirectory: cacheDirectory() });
  if (path === undefined) return { committedAt };
  const text = files.get(path);
  if (text !== undefined) return { text, committedAt };
  throw new Error(`commit ${request.commit} of ${request.url} has no file ${JSON.stringify(path)}`);
}

function holding(reference: string, probe: Probe): TagHolding | undefined {
  switch (probe.state) {
    case "present":
      return { digest: probe.digest, platforms: probe.platforms };
    case "absent":
      return undefined;
    case "unknown":
      throw new Error(`the registry gave no usable answer about ${reference} (${probe.cause}): ${probe.reason}`);
    default:
      return probe satisfies never;
  }
}
