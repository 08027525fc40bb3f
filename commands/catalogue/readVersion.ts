import { readFile } from "node:fs/promises";
import type { BuiltRecord } from "../../components/model/buildRecord";
import type { Digest } from "../../components/model/digest";
import { platformEntries, platformSlug, type Platform } from "../../components/model/platform";
import { type ImageFacts, imageFacts } from "./imageFacts";
import { keptDocument, type ProofEdges, type ProofFacts, proofCommands, proofOf, type PublishedImage } from "./proof";
import type { CataloguePlatform, CatalogueVersion } from "./schema";
import { mergedPackages, spdxFactsSchema, spdxPackages } from "./spdxPackages";
import { type ScanEdges, vulnerabilitiesOf } from "./vulnerabilities";

type Package = CatalogueVersion["packages"][number];

/** What reading a version rests on. */
export interface VersionEdges extends ProofEdges, ScanEdges {
  /** Arguments of `cosign verify` for the commands shown. */
  readonly how: readonly string[] | undefined;
}

/** What is asked about a version. */
export interface VersionQuestion extends PublishedImage {
  readonly app: string;
  readonly version: string;
  /** Every tag that names this digest. */
  readonly tags: readonly string[];
  readonly wanted: readonly Platform[];
  /** When upstream released it, where a run told. */
  readonly released: string | undefined;
}

/** What goes beside a version's own file: what a file holds, or the file it is copied from. */
type FileBeside = { readonly json: unknown } | { readonly copyOf: string };

/** A version with everything about it, but for what changed; and the files that go beside it, by name. */
export interface ReadVersion {
  readonly version: CatalogueVersion;
  readonly files: ReadonlyMap<string, FileBeside>;
  /** How each platform came into the index, as the verified mirror record says. */
  readonly composition: ReadonlyMap<string, "built" | "copied" | "kept">;
}

/** Reads all there is to know about a published version. @throws RegistryError when the registry gives no usable answer. */
export async function readVersion(question: VersionQuestion, edges: VersionEdges): Promise<ReadVersion> {
  const facts = await proofOf(question, edges);
  const files = new Map<string, FileBeside>();
  const packages = new Map<string, readonly Package[]>();
  const platforms: CataloguePlatform[] = [];
  for (const [platform, digest] of platformEntries(question.platforms)) {
    const image = await imageFacts(question.repository, digest, edges);
    const sbom = await sbomOf(digest, facts, edges);
    if (sbom) {
      packages.set(platform, sbom.packages);
      files.set(`${platformSlug(platform)}.spdx.json`, { copyOf: sbom.file });
    }
    const provenance = facts.provenances[digest];
    if (provenance !== undefined) files.set(`${platformSlug(platform)}.provenance.json`, { json: provenance });
    const vulnerabilities = sbom && (await vulnerabilitiesOf(sbom, edges));
    platforms.push({
      ...platformOf(platform, image, facts),
      ...(sbom && {
        sbom: { file: `${platformSlug(platform)}.spdx.json`, packages: sbom.packages.length, ...sbom.made },
      }),
      ...(provenance !== undefined && { provenance: { file: `${platformSlug(platform)}.provenance.json` } }),
      ...(vulnerabilities && { vulnerabilities }),
    });
  }
  const { record } = facts;
  if (
    facts.provenances[question.digest] !== undefined &&
    !Object.values(question.platforms).includes(question.digest)
  ) {
    files.set("provenance.json", { json: facts.provenances[question.digest] });
  }
  return { version: assembled(question, facts, platforms, packages, edges), files, composition: compositionOf(record) };
}

function assembled(
  question: VersionQuestion,
  facts: ProofFacts,
  platforms: CataloguePlatform[],
  packages: ReadonlyMap<string, readonly Package[]>,
  { how }: VersionEdges,
): CatalogueVersion {
  const { app, version, tag, repository, digest, tags, wanted, released } = question;
  const published = facts.builds.map(({ run }) => run.finishedOn).toSorted()[0] ?? facts.proof.signers[0]?.signedAt;
  const upstream = facts.record?.upstream;
  return {
    schemaVersion: 1,
    ...{ app, version, tag, repository, digest, tags: [...tags] },
    ...(upstream && { upstream: { ...upstreamOf(upstream), ...committedAt(platforms) } }),
    ...(released !== undefined && { released }),
    ...(published !== undefined && { published }),
    missing: wanted.filter((platform) => !(platform in question.platforms)),
    platforms,
    packages: mergedPackages(packages),
    proof: { ...facts.proof, commands: proofCommands(question, how) },
  };
}

function platformOf(platform: Platform, image: ImageFacts, facts: ProofFacts): CataloguePlatform {
  const { digest } = image;
  const build = facts.builds.find((one) => one.image.digest === digest);
  const entry = facts.record?.platforms.find((one) => one.digest === digest);
  // A version that is a single image has one signature, its own.
  const signed = [`signature ${platform}`, "signature image"]
    .map((name) => facts.proof.checks.find(({ what }) => what === name))
    .find((check) => check !== undefined);
  return {
    ...image,
    platform,
    origin: build ? "built" : originOf(entry),
    ...(entry?.from !== undefined && entry.origin === "copied" && { from: entry.from }),
    ...(signed && { signed: signed.ok }),
    ...(build && { checks: checksOf(build), build: buildOf(build) }),
  };
}

function originOf(
  entry: NonNullable<ProofFacts["record"]>["platforms"][number] | undefined,
): CataloguePlatform["origin"] {
  if (entry?.adopted) return "adopted";
  return entry === undefined || entry.origin === "kept" ? "published" : entry.origin;
}

function checksOf({ checks, run }: BuiltRecord): NonNullable<CataloguePlatform["checks"]> {
  return {
    at: run.finishedOn,
    programs: checks.programs,
    ...(checks.smoke && { smoke: checks.smoke.command }),
    ...(checks.identical && { identical: checks.identical }),
  };
}

function buildOf(build: BuiltRecord): NonNullable<CataloguePlatform["build"]> {
  const { upstream, dockerfile, frontend, subdirectory, target, buildArguments, bases, files, builder, run } = build;
  return {
    repository: upstream.repository,
    reference: upstream.reference,
    commit: upstream.commit,
    dockerfile,
    ...(frontend && { frontend }),
    ...(subdirectory !== undefined && { subdirectory }),
    ...(target !== undefined && { target }),
    arguments: buildArguments,
    bases,
    files,
    builder: builder.id,
    ...(run.invocationId !== undefined && { run: run.invocationId }),
    startedAt: run.startedOn,
    finishedAt: run.finishedOn,
  };
}

async function sbomOf(digest: Digest, { sboms }: ProofFacts, { cache }: VersionEdges) {
  const checksum = sboms[digest];
  if (checksum === undefined) return undefined;
  const file = keptDocument(checksum, cache);
  const { created, packages } = await cache.of("packages-1", [checksum], spdxFactsSchema, async () =>
    spdxPackages(JSON.parse(await readFile(file, "utf8"))),
  );
  return { checksum, file, packages, made: created === undefined ? {} : { created } };
}

/** The label is the mirror's own only in what it built. */
function committedAt(platforms: readonly CataloguePlatform[]): { readonly committed?: string } {
  const committed = platforms.find(({ origin }) => origin === "built")?.labels["org.opencontainers.image.created"];
  return committed === undefined ? {} : { committed };
}

/** Where upstream says what is new in a release, on the hosts whose addresses are known. */
function upstreamOf(upstream: { readonly repository: string; readonly reference: string; readonly commit: string }) {
  const { repository, reference, commit } = upstream;
  const web = repository.replace(/\.git$/, "");
  const name = encodeURIComponent(reference);
  const notes = /^https:\/\/github\.com\//.test(web)
    ? `${web}/releases/tag/${name}`
    : /^https:\/\/(?:[^/]*\.)?(?:gitlab|framagit)\.[a-z]+\//.test(web)
      ? `${web}/-/tags/${name}`
      : undefined;
  return { repository, reference, commit, ...(notes !== undefined && { notes }) };
}

function compositionOf(record: ProofFacts["record"]): ReadVersion["composition"] {
  return new Map(record?.platforms.map(({ platform, origin }) => [platform, origin]));
}
