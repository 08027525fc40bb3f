import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AttestConfig } from "../config/attestConfig";
import type { RecordedImage } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries, platformSlug } from "../model/platform";
import { referenceParts } from "../model/reference";
import type { Requirement } from "./inspectAttestations";
import { addMissingAttestations, isSigned } from "./addMissingAttestations";
import { imageProvenance } from "./provenance";
import { type Place, type Workplace, atWorkplace } from "./workplace";

/** The platform manifests an index is to name. */
export interface SealRequest {
  /** `registry/namespace/name`. */
  readonly repository: string;
  /** What the index is that names them. */
  readonly version: string;
  /** Made in this run or handed over to it, each with its record, and in the registry under its digest. Copied ones are brought there. */
  readonly images: readonly RecordedImage[];
  /** What the index is made from in this repository: the builder copies it with all that is attached to it. */
  readonly sources: readonly Digest[];
  /** In the index that is there, and to stay. */
  readonly kept: PerPlatform<Digest>;
  /** Manifests this stack's state says it built. */
  readonly known: readonly Digest[];
  /** Platforms of others that the stack takes over. */
  readonly adopted: readonly Platform[];
}

/**
 * Signs and attests platform manifests before an index that names them gets a tag: signature, SBOM, and for what was built its
 * provenance, each written from the image's own record. What is copied from upstream comes into the repository first. What is kept must carry a valid signature of ours already, which cosign
 * says, or be known or taken over, and then it gets one. An SBOM that cannot be attested keeps nothing back.
 * @returns what is lacking of the SBOMs, and why; undefined: nothing.
 * @throws Error saying what is not ours, or could not be signed and why. Then there must be no tag.
 */
export async function sealImages(
  request: SealRequest,
  config: AttestConfig,
  place: Place,
): Promise<string | undefined> {
  const { repository, images, sources } = request;
  if (config.signing.mode === "off") return undefined;
  return atWorkplace(config, place, async (workplace) => {
    for (const { record } of images) {
      const { digest } = record.image;
      if (record.origin === "copied") await workplace.bring(digest, referenceParts(record.from).name, repository);
    }
    const kept = await keptOnes(request, workplace);
    const fresh = images.map(({ record }) => record.image.digest);
    const listed = [...sources, ...Object.values(request.kept)].filter((digest) => !fresh.includes(digest));
    await workplace.tidy(repository, [...new Set(listed)]);
    const made = images.map(({ record }) => [record.platform, record.image.digest] as const);
    const platforms: PerPlatform<Digest> = Object.fromEntries([...kept, ...made]);
    const required = [
      ...kept.map(([platform, digest]): Requirement => ({ platform, digest, kind: "signature" })),
      ...images.flatMap((image) => requirementsOf(image, config)),
    ];
    const writer = workplace.writer(repository, {
      sbom: async ({ platform }) => imageOf(images, platform).sbom ?? missing(platform),
      predicate: async ({ platform }) => {
        const { record } = imageOf(images, platform);
        if (record.origin !== "built")
          throw new Error(`nothing is known about how the image for ${platform} was built`);
        const file = join(workplace.directory, `provenance-${platformSlug(record.platform)}.json`);
        await writeFile(file, JSON.stringify(imageProvenance(record)));
        return file;
      },
    });
    const task = { repository, platforms, required, optional: ["sbom"] as const };
    const { lacking } = await addMissingAttestations(task, { ...workplace, writer });
    return lacking;
  });
}

/** Those of the kept manifests that have to be signed; all others are signed already. */
async function keptOnes(
  { repository, kept, known, adopted }: SealRequest,
  edges: Workplace,
): Promise<readonly (readonly [Platform, Digest])[]> {
  const judged = platformEntries(kept).map(async ([platform, digest]) => {
    return { platform, digest, signed: await isSigned(repository, digest, edges) };
  });
  const unsigned = (await Promise.all(judged)).filter(({ signed }) => !signed);
  const foreign = unsigned.filter(({ platform, digest }) => !known.includes(digest) && !adopted.includes(platform));
  if (foreign.length === 0) return unsigned.map(({ platform, digest }) => [platform, digest]);
  const names = foreign.map(({ platform }) => platform).join(", ");
  throw new Error(`what the tag names is not ours: ${names} carries no valid signature of this mirror`);
}

function requirementsOf({ record, sbom }: RecordedImage, config: AttestConfig): readonly Requirement[] {
  const about = { digest: record.image.digest, platform: record.platform };
  return [
    { ...about, kind: "signature" },
    ...(config.sbom && sbom !== undefined ? [{ ...about, kind: "sbom" as const }] : []),
    ...(config.provenance && record.origin === "built" ? [{ ...about, kind: "provenance" as const }] : []),
  ];
}

function imageOf(images: readonly RecordedImage[], platform: Platform | undefined): RecordedImage {
  const image = images.find(({ record }) => record.platform === platform);
  if (image) return image;
  throw new Error(`no image for ${platform} is to be signed, a mistake of the plan`);
}

function missing(platform: Platform): never {
  throw new Error(`no SBOM for ${platform} was made`);
}
