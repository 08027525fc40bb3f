import { appSettings } from "../../components/config/appSettings";
import type { ConfiguredApp } from "../../components/config/appsSchema";
import type { MirrorConfig } from "../../components/config/mirrorConfig";
import { failedForGood, failureKey, type FailureRecord, waitOf } from "../../components/decide/backoff";
import type { Digest } from "../../components/model/digest";
import { platformsIn } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";
import { repositoryOf } from "../../components/model/reference";
import { resolveSource } from "../../components/model/source";
import { RegistryError } from "../../components/registry/registryError";
import { Limiter } from "../../components/system/limiter";
import type { RunResult } from "../reconcile/result";
import { changesSince } from "./changes";
import { appEvents } from "./events";
import { publishedPlatforms } from "./publishedPlatforms";
import { readVersion, type ReadVersion, type VersionEdges } from "./readVersion";
import type { CatalogueApp, CatalogueRow, CatalogueVersion } from "./schema";
import { isOwnTag, type VersionTag, versionTags } from "./versionTags";

/** What reading apps rests on. */
export interface AppEdges extends VersionEdges {
  readonly config: MirrorConfig;
  /** What the last run left, where there is such a file. */
  readonly result: RunResult | undefined;
  readonly failures: FailureRecord;
  /** When the app was complete last, as the catalogue before this one knew. */
  readonly lastSuccess: (app: string) => string | undefined;
  /** Takes each version as it is read, with the name its app has for people. */
  readonly keep: (read: ReadVersion, title: string) => Promise<void>;
  readonly progress: (line: string) => void;
}

/** Versions whose attachments are being read at the same time. */
const atOnce = 16;

/** Reads all there is of one app. @throws RegistryError when the registry gives no usable answer. */
export async function readApp({ specification, overrides }: ConfiguredApp, edges: AppEdges): Promise<CatalogueApp> {
  const { config, reader, result, now } = edges;
  const repository = repositoryOf(config, specification.name);
  const { platforms: wanted } = appSettings(config, specification);
  const title = specification.title ?? specification.name;
  const tags = await readTags(repository, reader);
  const { versions: named, others } = versionTags(tags, specification);
  const reads = await readVersions(repository, title, named, tags, wanted, specification.name, edges);
  const inOrder = reads.map(({ version }) => version);
  const missing = missingVersions(specification.name, edges);
  const known = result?.apps.find(({ app }) => app === specification.name);
  const problems = known?.problems ?? [];
  const rows = inOrder.map(rowOf);
  const state = stateOf(rows, known, missing.length, problems);
  const succeeded = known && state.state === "complete" ? result?.endedAt : undefined;
  const lastSuccess = succeeded ?? edges.lastSuccess(specification.name);
  const why = (await upstreamsOwn(specification, inOrder[0], edges)) ?? specification.reason;
  return {
    schemaVersion: 1,
    generatedAt: now.toISOString(),
    app: specification.name,
    title,
    description: specification.description ?? "",
    ...(specification.licenses !== undefined && { licenses: specification.licenses }),
    ...(specification.url !== undefined && { homepage: specification.url }),
    repository,
    upstream: resolveSource(specification.source, overrides.repository).url.replace(/\.git$/, ""),
    ...(why !== undefined && { why }),
    ...state,
    ...(lastSuccess !== undefined && { lastSuccess }),
    versions: rows,
    floating: others.flatMap((tag) => floatingTag(tag, tags, inOrder)),
    missing,
    problems: [...problems],
    events: appEvents(specification.name, repository, reads, missing, givenUp(specification.name, missing, edges)),
  };
}

/** What each tag names. A tag that is gone by the time it is read is none. */
async function readTags(repository: string, reader: AppEdges["reader"]): Promise<ReadonlyMap<string, Digest>> {
  const tags = (await listedTags(repository, reader)).filter(isOwnTag);
  const read = await Promise.all(
    tags.map(async (tag) => [tag, (await reader.manifest(`${repository}:${tag}`))?.digest] as const),
  );
  return new Map(read.flatMap(([tag, digest]) => (digest === undefined ? [] : [[tag, digest] as const])));
}

/** None of a repository that does not exist, which a 404 alone does not say: a proxy answers so too. */
async function listedTags(repository: string, reader: AppEdges["reader"]): Promise<readonly string[]> {
  try {
    return await reader.tags(repository);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.status !== 404) throw error;
    if ((await reader.manifest(`${repository}:latest`)) !== undefined) throw error;
    return [];
  }
}

async function readVersions(
  repository: string,
  title: string,
  named: readonly VersionTag[],
  tags: ReadonlyMap<string, Digest>,
  wanted: CatalogueAppPlatforms,
  app: string,
  edges: AppEdges,
): Promise<readonly ReadVersion[]> {
  const limiter = new Limiter(atOnce);
  let done = 0;
  const reads = await Promise.all(
    named.map(({ tag, version, digest }) =>
      limiter.run(async (): Promise<ReadVersion> => {
        const platforms = await publishedPlatforms(repository, digest, edges);
        const sameDigest = [...tags].filter(([, other]) => other === digest).map(([name]) => name);
        const released = edges.result?.versions.find((one) => one.app === app && one.version === version)?.released;
        const image = { app, version, tag, repository, digest, platforms, tags: sameDigest.toSorted() };
        const read = await readVersion({ ...image, wanted, released }, edges);
        done += 1;
        edges.progress(`${app}: ${done} of ${named.length} versions, ${tag} ${read.version.proof.state}`);
        return read;
      }),
    ),
  );
  // Highest first: each is compared with the one after it.
  const compared = reads.map((read, position): ReadVersion => {
    const before = reads[position + 1]?.version;
    return before ? { ...read, version: { ...read.version, changes: changesSince(before, read.version) } } : read;
  });
  for (const read of compared) await edges.keep(read, title);
  return compared;
}

type CatalogueAppPlatforms = Parameters<typeof readVersion>[0]["wanted"];

/** A version's row in its app. */
export function rowOf({
  version,
  tag,
  digest,
  tags,
  released,
  published,
  proof,
  missing,
  platforms,
}: CatalogueVersion): CatalogueRow {
  return {
    ...{ version, tag, digest, tags, missing },
    ...(released !== undefined && { released }),
    ...(published !== undefined && { published }),
    proof: { state: proof.state, at: proof.at },
    platforms: platforms.map((one) => ({
      ...{ platform: one.platform, digest: one.digest, origin: one.origin, size: one.size },
      ...(one.created !== undefined && { created: one.created }),
      ...(one.signed !== undefined && { signed: one.signed }),
      ...(one.checks && { checks: one.checks }),
      sbom: one.sbom !== undefined,
      provenance: one.provenance !== undefined,
    })),
  };
}

function floatingTag(
  tag: string,
  tags: ReadonlyMap<string, Digest>,
  versions: readonly CatalogueVersion[],
): CatalogueApp["floating"] {
  const digest = tags.get(tag);
  if (digest === undefined) return [];
  const version = versions.find((one) => one.digest === digest)?.version;
  return [{ tag, digest, ...(version !== undefined && { version }) }];
}

/** What a run wanted and could not make complete, and what earlier ones could not build. */
function missingVersions(app: string, { result, failures, now }: AppEdges): CatalogueApp["missing"] {
  const incomplete = (result?.versions ?? []).filter((one) => one.app === app && !one.complete);
  return incomplete.map(({ version, reason, lastFailure, outcome }) => {
    const failure = failures[failureKey(app, version)];
    const nextTry = waitOf(failure, now)?.until.toISOString();
    return {
      version,
      reason: lastFailure ?? failure?.reason ?? reason ?? outcome,
      ...(failure && { failures: failure.count }),
      ...(nextTry !== undefined && { nextTry }),
    };
  });
}

/** When each of the versions that failed for good did so the last time. */
function givenUp(app: string, missing: CatalogueApp["missing"], { failures }: AppEdges): ReadonlyMap<string, string> {
  return new Map(
    missing.flatMap(({ version }) => {
      const failure = failures[failureKey(app, version)];
      return failure && failedForGood(failure) ? [[version, failure.last] as const] : [];
    }),
  );
}

function stateOf(
  rows: readonly CatalogueRow[],
  known: RunResult["apps"][number] | undefined,
  missing: number,
  problems: readonly string[],
): Pick<CatalogueApp, "state" | "stateDetail"> {
  const newest = rows[0];
  if (problems.length > 0) return { state: "failing", stateDetail: problems[0] ?? "" };
  if (missing > 0) {
    return {
      state: "incomplete",
      stateDetail: `${missing === 1 ? "1 version is" : `${missing} versions are`} not complete`,
    };
  }
  if (newest === undefined) return { state: "empty", stateDetail: "nothing is published yet" };
  if (known) return { state: "complete", stateDetail: "everything wanted is published" };
  if (newest.missing.length > 0) {
    return { state: "incomplete", stateDetail: `${newest.version} lacks ${newest.missing.join(", ")}` };
  }
  return { state: "complete", stateDetail: "the newest version has every platform" };
}

/** What upstream publishes of the newest version, where the app says under which name; a registry that does not answer says nothing. */
async function upstreamsOwn(
  { official }: ConfiguredApp["specification"],
  newest: CatalogueVersion | undefined,
  { reader }: AppEdges,
): Promise<string | undefined> {
  if (official === undefined || newest === undefined) return undefined;
  const tag = newest.upstream?.reference ?? newest.tag;
  try {
    const probe = await reader.probe(official.reference({ version: newest.version, tag }), { skipChildren: true });
    if (probe.state === "absent") return `Upstream publishes no image of ${newest.version}.`;
    if (probe.state === "unknown") return undefined;
    const platforms = platformsIn(probe.platforms);
    return `Upstream publishes ${platforms.join(", ")}${platforms.length === 1 ? " only" : " itself"}.`;
  } catch (error) {
    throw new Error(`the app's name of upstream's image cannot be used: ${reasonOf(error)}`, { cause: error });
  }
}
