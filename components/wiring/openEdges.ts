import { createHash } from "node:crypto";
import { z } from "zod";
import { join } from "node:path";
import { checkout, projectSource } from "../engine/checkout";
import type { Guard } from "../registry/connections";
import { mirrorPlaces } from "../registry/mirrors";
import { PrivateHosts } from "../registry/privateHosts";
import type { Inspection } from "../check/inspectImage";
import { hexOf } from "../model/digest";
import { Limiter } from "../system/limiter";
import { Isolation } from "../system/isolation";
import { knownSigner } from "../attest/knownSigner";
import type { ExpectedSigner } from "../model/signer";
import { once } from "../system/once";
import { runProcess } from "../system/process";
import { AppBases } from "../plan/appBases";
import { attestationProbe } from "../probe/attachedAttestations";
import { type BaseRegistry, baseRegistry, imageManifest } from "../probe/baseRegistry";
import { buildTarget } from "../model/release";
import type { Platform } from "../model/platform";
import { type RunContext, runContext } from "../model/runContext";
import { cacheDirectory } from "../system/cacheDirectory";
import { digestIn, referenceParts, repositoryOf } from "../model/reference";
import { readKept, writeWhole } from "../system/placeWhole";
import type { Configuration } from "../config/configuration";
import { describeReferrer, missingReferrers } from "../probe/missingReferrers";
import { discover } from "../discover/discover";
import { throughRedirect } from "../discover/gitReferences";
import { failureKey, type FailureRecord, waitOf } from "../decide/backoff";
import type { Host } from "./host";
import type { PlanEdges } from "../plan/planEdges";
import type { PlanOf } from "../plan/planApps";
import { prepareBuild, type RecipeEdges } from "../plan/buildRecipes";
import { probeFor } from "../probe/probeTag";
import { readFailureFile } from "../report/failureFile";
import { readSource } from "../discover/sourceTree";
import type { Transport } from "../registry/transport";
import { RegistryClient } from "../registry/registryClient";
import type { StateEdges } from "../plan/alignWithState";
import { selectWindow } from "../decide/window";
import { fileTransport, upstreamFiles } from "../discover/upstreamFiles";
import { httpGet, sharedEdges } from "../discover/upstreamEdges";

/** Every way planning reaches the outside, over one registry client. All of them only read. */
export interface Edges {
  readonly plan: (planOf: PlanOf) => PlanEdges;
  readonly state: StateEdges;
  readonly probe: PlanEdges["probe"];
  readonly registry: RegistryClient;
  /** Where work on what upstream wrote is done. */
  readonly isolation: Isolation;
  /** Who runs this, from which commit of the project and since when. Git is asked once, when somebody wants to know. */
  readonly run: () => RunContext;
}

/** Opens the edges of a run. Sends nothing yet. */
export function openEdges(config: Configuration, host: Host): Edges {
  const registry = new RegistryClient();
  const isolation = new Isolation(join(checkout, "components", "engine", "isolated.cjs"));
  const hosts = new PrivateHosts([config.registry, ...mirrorPlaces(process.env)], process.env);
  const transport = fileTransport({ hosts });
  const upstream = sharedEdges({
    ...host.upstream,
    listRemote: (url) => throughRedirect(url, transport, host.upstream.listRemote),
    get: httpGet(transport),
    imageTags: (repository) => registry.tags(repository),
    imageLabels: (reference) => registry.labels(reference),
  });
  const bases = appBaseRegistries(config, { hosts });
  const files = upstreamFiles(transport);
  // All of a run counts from here.
  const startedAt = new Date();
  const failures: FailureRecord = config.run.failures === undefined ? {} : readFailureFile(config.run.failures);
  const accepts = once(() => registry.accepts(config.registry));
  const probe: PlanEdges["probe"] = (reference, options) =>
    probeFor(reference, registry, config, { accepts, mayWrite: host.mayWrite }, options);
  return {
    ...{ registry, isolation, probe },
    run: once(() => runContext(host.environment, startedAt.toISOString(), projectSource())),
    state: { state: once(host.state), exists: (reference) => registry.exists(reference) },
    plan: (planOf) => {
      const find: PlanEdges["discover"] = (specification, { repository, ...window }) =>
        discover(specification, {
          edges: upstream,
          wanted: (releases) => selectWindow(releases, { ...window, now: startedAt }).releases,
          ...(repository && { repository }),
        });
      const appBases = new AppBases(config, planOf, { probe, discover: find, offer: files.offer });
      return {
        ...{ now: startedAt, probe },
        discover: find,
        misfits: misfitsIn(isolation, cacheDirectory()),
        said: async (reference) => saidBy(registry, reference, cacheDirectory()),
        offer: (specification, target) => appBases.offer(specification, target),
        attestations: attestationProbe(registry, config, () => signerOf(config, host)),
        missingReferrers: async (copies) => (await missingReferrers(copies, registry)).map(describeReferrer),
        wait: async (app, version) => waitOf(failures[failureKey(app, version)], startedAt),
        run: { phase: config.run.phase, covers: (platform) => config.run.platforms?.includes(platform) ?? true },
        prepare: preparer(config, host, isolation, {
          bases,
          appBases,
          readSource: sourceReader(transport),
          checksums: (specification, release, platform) =>
            files.checksums(specification, buildTarget(release, platform)),
        }),
      };
    },
  };
}

const dockerfileReader = "dockerfile/images.ts";

/** Prepares builds. Meanwhile their readers are started, and it is asked whether the repository may be written to. */
function preparer(
  config: Configuration,
  host: Host,
  isolation: Isolation,
  edges: Omit<RecipeEdges, "readImages">,
): PlanEdges["prepare"] {
  const readImages: RecipeEdges["readImages"] = (owner) => (input) =>
    isolation.run({ owner, job: [dockerfileReader, "readDockerfileImages"], input, limitMs: 30_000 });
  return async (request) => {
    const { specification, platforms } = request;
    const allowed = host.beforeBuild(repositoryOf(config, specification.name));
    // Told below: why a version cannot be built at all comes first.
    allowed.catch(() => undefined);
    void Promise.all(platforms.map(() => isolation.ready(specification.name, dockerfileReader)));
    const prepared = await prepareBuild(request, { ...edges, readImages });
    await allowed;
    return prepared;
  };
}

function sourceReader(transport: Transport): RecipeEdges["readSource"] {
  return (wanted) =>
    throughRedirect(wanted.url, transport, (url) => readSource({ ...wanted, url, cacheDirectory: cacheDirectory() }));
}

/** What apps build on is read by clients of their own, so that no app waits for the hosts another one's Dockerfile names. */
function appBaseRegistries({ registry, namespace }: Configuration, guard: Guard): RecipeEdges["bases"] {
  const opened = new Map<string, BaseRegistry>();
  return ({ name, privateBases = [] }) => {
    const known = opened.get(name);
    if (known) return known;
    const readers = { own: new RegistryClient({ guard }), anonymous: new RegistryClient({ guard, anonymous: true }) };
    const fresh = baseRegistry(readers, { registry, namespace, privateBases });
    opened.set(name, fresh);
    return fresh;
  };
}

async function signerOf({ attest: { signing } }: Configuration, { environment }: Host): Promise<ExpectedSigner> {
  if (signing.mode === "off") throw new Error("nothing is signed, so nobody's signatures count");
  return knownSigner(signing, { root: process.cwd(), environment, run: runProcess });
}

const said = z.object({
  platform: z.custom<Platform>((value) => typeof value === "string"),
  labels: z.record(z.string(), z.string()),
});

/** What an image says of itself. Of one named by its digest it never changes, so it is kept: a run without state asks for all. */
async function saidBy(registry: RegistryClient, reference: string, cache: string): ReturnType<PlanEdges["said"]> {
  const digest = digestIn(reference);
  const file = digest && join(cache, "images", `${hexOf(digest)}.json`);
  return kept(file, said, async () => {
    const manifest = await imageManifest(registry, reference);
    const { platform, labels } = await registry.imageConfig(referenceParts(reference).name, manifest);
    return { platform, labels };
  });
}

/** Counts up when images are judged otherwise. */
const judgement = 1;

/** Reads images one after the other: nobody waits for them, and they are large. Each is judged once. */
function misfitsIn(isolation: Isolation, cache: string): PlanEdges["misfits"] {
  const oneByOne = new Limiter(1);
  return (owner, input) => {
    const { digest, platform, foreign } = input;
    const key = createHash("sha256").update(JSON.stringify([judgement, digest, platform, foreign]));
    const work = { owner, job: ["check/inspectImage.ts", "inspectApart"], input, limitMs: 15 * 60_000 } as const;
    return kept(join(cache, "programs", `${key.digest("hex")}.json`), z.array(z.string()), () =>
      oneByOne.run(async () => (await isolation.run<Inspection>(work)).problems),
    ).catch(() => []);
  };
}

/** What never changes is read once. What cannot be kept is read again. */
async function kept<T>(file: string | undefined, schema: z.ZodType<T>, read: () => Promise<T>): Promise<T> {
  const known = file && readKept(file, schema);
  if (known) return known;
  const fresh = await read();
  if (file) await writeWhole(file, JSON.stringify(fresh)).catch(() => undefined);
  return fresh;
}
