import { z } from "zod";
import { type Digest, hexOf } from "../model/digest";
import type { PerPlatform, Platform } from "../model/platform";
import { type BuiltRecord, builtRecordSchema } from "../model/buildRecord";
import type { VersionRecord } from "../model/versionRecord";
import { parseSlsaProvenance, type SlsaProvenance } from "./slsaProvenance";

/** Names the kind of build in the provenance; `docs/trust.md` describes its parameters. */
const buildType = "https://multiarch-mirror.github.io/build/v2";

/** Media type of the build records among the byproducts. */
const recordType = "application/vnd.multiarch-mirror.build-record.v1+json";

type Resource = NonNullable<SlsaProvenance["buildDefinition"]["resolvedDependencies"]>[number];

/**
 * Writes the SLSA v1 provenance of a version, or of one of its images: `externalParameters` are all that was asked for (source,
 * Dockerfile and every change made to the build), `resolvedDependencies` what that became (commit, Dockerfile, frontend,
 * base images, files), all by digest, `byproducts` the platform images and the build records it is written from.
 * It is about the builds of one run, the latest; of images from elsewhere it says where they are from and no more.
 * @returns undefined when nothing was built.
 * @throws Error when something SLSA requires is missing or empty.
 */
export function provenance(record: VersionRecord, images: PerPlatform<Digest>): SlsaProvenance | undefined {
  const builds = latestRun(record.builds);
  const [build] = builds;
  if (!build) return undefined;
  const { builder, run } = build;
  const times = builds.map((one) => one.run);
  return parseSlsaProvenance({
    buildDefinition: {
      buildType,
      externalParameters: externalParameters(record, build, builds),
      resolvedDependencies: [
        ...builds.reduce(addMaterials, new Map<string, Resource>()).values(),
        ...others(record, builds, images),
      ],
    },
    runDetails: {
      builder,
      metadata: defined({
        invocationId: run.invocationId,
        startedOn: times.map(({ startedOn }) => startedOn).toSorted()[0],
        finishedOn: times
          .map(({ finishedOn }) => finishedOn)
          .toSorted()
          .at(-1),
      }),
      byproducts: [
        ...Object.entries(images).map(([name, digest]) => ({ name, digest: { sha256: hexOf(digest) } })),
        ...builds.map((one) => ({
          name: `build record ${one.platform}`,
          mediaType: recordType,
          content: encoded(one),
        })),
      ],
    },
  });
}

/** The provenance of one image by itself, as its manifest carries it. */
export function imageProvenance(build: BuiltRecord): SlsaProvenance | undefined {
  const { version, tag, upstream, platform, image: made } = build;
  const platforms = { [platform]: { origin: "built" as const } };
  return provenance({ version, tag, upstream, platforms, builds: [build] }, { [platform]: made.digest });
}

const byproducts = z.object({
  runDetails: z.object({
    byproducts: z.array(z.object({ mediaType: z.string().optional(), content: z.base64().optional() })),
  }),
});

/** The build records a provenance was written from; none when it holds none that can be read. */
export function recordsIn(predicate: unknown): readonly BuiltRecord[] {
  const parsed = byproducts.safeParse(predicate);
  if (!parsed.success) return [];
  return parsed.data.runDetails.byproducts.flatMap(({ mediaType, content }) => {
    if (mediaType !== recordType || content === undefined) return [];
    const record = builtRecordSchema.safeParse(JSON.parse(Buffer.from(content, "base64").toString("utf8")));
    return record.success ? [record.data] : [];
  });
}

/** In the order of the schema, so that equal records are equal texts. */
function encoded(record: BuiltRecord): string {
  return Buffer.from(JSON.stringify(builtRecordSchema.parse(record))).toString("base64");
}

/** The builds of the run that ended last; where runs have no name, those of one builder are told apart by nothing. */
function latestRun(builds: readonly BuiltRecord[]): readonly BuiltRecord[] {
  const last = builds.toSorted((one, other) => (one.run.finishedOn < other.run.finishedOn ? 1 : -1))[0];
  const runOf = ({ builder, run, project }: BuiltRecord): string =>
    JSON.stringify([builder.id, project?.commit, run.invocationId]);
  return last ? builds.filter((build) => runOf(build) === runOf(last)) : [];
}

function externalParameters(
  record: VersionRecord,
  build: BuiltRecord,
  builds: readonly BuiltRecord[],
): Record<string, unknown> {
  const { upstream, dockerfile } = build;
  const byPlatform = (of: (one: BuiltRecord) => Readonly<Record<string, string>>): Record<string, unknown> =>
    Object.fromEntries(builds.flatMap((one) => (Object.keys(of(one)).length === 0 ? [] : [[one.platform, of(one)]])));
  const platforms = Object.keys(record.platforms);
  return defined({
    source: { repository: upstream.repository, commit: upstream.commit, ...namedReference(upstream) },
    version: record.version,
    image: { repository: build.image.repository, tag: record.tag },
    dockerfile: { path: dockerfile.path, owner: dockerfile.owner },
    subdirectory: build.subdirectory,
    target: build.target,
    namedContexts: filled(byPlatform((one) => one.namedContexts)),
    buildArguments: filled(byPlatform((one) => one.buildArguments)),
    platforms,
    builtPlatforms: builds.length === platforms.length ? undefined : builds.map(({ platform }) => platform),
  });
}

function namedReference({ kind, reference }: BuiltRecord["upstream"]): Record<string, string> {
  return kind === "commit" ? {} : { [kind]: reference };
}

function fullReference({ kind, reference }: BuiltRecord["upstream"]): string | undefined {
  return kind === "commit" ? undefined : `refs/${kind === "tag" ? "tags" : "heads"}/${reference}`;
}

/** Materials by what they are, so that what several platforms share is named once. */
function addMaterials(found: Map<string, Resource>, build: BuiltRecord): Map<string, Resource> {
  const { upstream, project, dockerfile, frontend } = build;
  const all: Resource[] = [
    {
      name: "source",
      uri: gitUri(upstream.repository, fullReference(upstream)),
      digest: { gitCommit: upstream.commit },
    },
    ...(project ? [{ name: "recipe", uri: gitUri(project.repository), digest: { gitCommit: project.commit } }] : []),
    { name: `Dockerfile ${dockerfile.path}`, digest: { sha256: dockerfile.sha256 } },
    ...(frontend ? [image("frontend", frontend.reference, frontend.digest)] : []),
    ...build.bases.map((base) => image(base.reference, base.reference, base.digest)),
    ...build.files.map(({ url, sha256 }) => ({ uri: url, digest: { sha256 } })),
  ];
  for (const resource of all) found.set(JSON.stringify(resource), resource);
  return found;
}

/** Images of the version that are not of these builds: where each is from. */
function others({ platforms }: VersionRecord, builds: readonly BuiltRecord[], images: PerPlatform<Digest>): Resource[] {
  return Object.entries(platforms).flatMap(([platform, { origin, from }]) => {
    if (builds.some((build) => build.platform === platform)) return [];
    const digest = images[platform as Platform];
    const uri = from === undefined ? {} : { uri: `docker://${from}` };
    if (digest === undefined && from === undefined) return [];
    return [{ name: `${origin} ${platform}`, ...uri, ...(digest && { digest: { sha256: hexOf(digest) } }) }];
  });
}

function image(name: string, reference: string, digest: Digest): Resource {
  return { name, uri: `docker://${reference}`, digest: { sha256: hexOf(digest) } };
}

/** The SPDX download location form: `git+https://host/path@reference`. */
function gitUri(repository: string, reference?: string): string {
  return `git+${repository}${reference === undefined ? "" : `@${encodeURI(reference)}`}`;
}

function filled(value: Readonly<Record<string, unknown>>): unknown {
  return Object.keys(value).length === 0 ? undefined : value;
}

function defined(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
