import { type Digest, hexOf } from "../model/digest";
import type { PerPlatform } from "../model/platform";
import type { BuildRecord } from "../model/buildRecord";
import { parseSlsaProvenance, type SlsaProvenance } from "./slsaProvenance";

/** Names the kind of build in the provenance; its parameters are described in the README. */
export const buildType = "https://multiarch-mirror.github.io/build/v1";

type Resource = NonNullable<SlsaProvenance["buildDefinition"]["resolvedDependencies"]>[number];

/**
 * Writes the SLSA v1 provenance of a version: `externalParameters` are all that was asked for (source, Dockerfile and
 * every change made to the build), `resolvedDependencies` what that became (commit, base images, files) by digest where
 * known, `byproducts` the platform images.
 * @throws Error when something SLSA requires is missing or empty.
 */
export function provenance(record: BuildRecord, images: PerPlatform<Digest>): SlsaProvenance {
  const { builder, run } = record;
  const metadata =
    run && defined({ invocationId: run.invocationId, startedOn: run.startedOn, finishedOn: run.finishedOn });
  return parseSlsaProvenance({
    buildDefinition: {
      buildType,
      externalParameters: externalParameters(record),
      resolvedDependencies: resolvedDependencies(record),
    },
    runDetails: {
      builder: defined({ id: builder.id, version: builder.version }),
      ...(metadata && Object.keys(metadata).length > 0 && { metadata }),
      byproducts: Object.entries(images).map(([name, digest]) => ({ name, digest: { sha256: hexOf(digest) } })),
    },
  });
}

function externalParameters(record: BuildRecord): Record<string, unknown> {
  const { upstream } = record;
  const built = Object.entries(record.platforms).filter(([, { origin }]) => origin === "built");
  return defined({
    source: { repository: upstream.repository, [upstream.kind]: upstream.reference, commit: upstream.commit },
    version: record.version,
    dockerfile: record.dockerfile,
    subdirectory: record.subdirectory,
    target: record.target,
    namedContexts: filled(record.namedContexts),
    buildArguments: filled(record.buildArguments),
    platforms: Object.keys(record.platforms),
    reconstructed: record.reconstructed,
    builtPlatforms:
      built.length === Object.keys(record.platforms).length ? undefined : built.map(([platform]) => platform),
  });
}

function resolvedDependencies({ upstream, project, bases, files, platforms }: BuildRecord): Resource[] {
  const reference = `refs/${upstream.kind === "tag" ? "tags" : "heads"}/${upstream.reference}`;
  return [
    { name: "source", uri: gitUri(upstream.repository, reference), digest: { gitCommit: upstream.commit } },
    ...(project ? [{ name: "recipe", uri: gitUri(project.repository), digest: { gitCommit: project.commit } }] : []),
    ...bases.map(({ reference: name, digest }) => ({
      name,
      uri: `docker://${name}`,
      ...(digest !== undefined && { digest: { sha256: hexOf(digest) } }),
    })),
    ...files.map(({ url, sha256 }) => ({ uri: url, ...(sha256 !== undefined && { digest: { sha256 } }) })),
    ...Object.entries(platforms).flatMap(([platform, { origin, from }]) =>
      origin !== "built" && from !== undefined ? [{ name: `${origin} ${platform}`, uri: `docker://${from}` }] : [],
    ),
  ];
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
