import { z } from "zod";
import type { Digest } from "../../components/model/digest";
import type { Platform } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";
import type { CertificateSigner } from "../../components/model/signer";
import { isVersion, lineOf } from "../../components/model/version";
import type { AttestationReader } from "../../components/probe/attachedAttestations";
import type { ImageConfiguration } from "../../components/registry/imageConfiguration";
import type { Descriptor, ImageManifest, Manifest } from "../../components/registry/manifest";
import { parseSlsaProvenance } from "../../components/attest/slsaProvenance";

/** What the image is expected to be. */
export interface VerificationWishes {
  /** Upstream repository the provenance must name. */
  readonly source?: string;
  /** Upstream commit the provenance must name. */
  readonly commit?: string;
  readonly sbom: boolean;
  readonly provenance: boolean;
}

const sourceSchema = z.looseObject({ repository: z.string(), commit: z.string() });
const recordSchema = z.looseObject({
  upstream: sourceSchema,
  version: z.string(),
  image: z.looseObject({ repository: z.string(), tag: z.string(), digest: z.string() }),
  platforms: z.array(
    z.looseObject({
      platform: z.string(),
      digest: z.string(),
      origin: z.string().optional(),
      adopted: z.boolean().optional(),
    }),
  ),
});

/**
 * Whether a provenance is one, names the source expected, and as its builder the workflow that signed it. Where that is not
 * known (a key, another issuer than GitHub), the builder is only told.
 */
export function provenanceCheck(
  predicate: unknown,
  wishes: VerificationWishes,
  certificate: CertificateSigner | undefined,
): VerificationCheck {
  const check = (ok: boolean, detail: string) => ({ what: "provenance", ok, detail });
  try {
    const { buildDefinition, runDetails } = parseSlsaProvenance(predicate);
    const { source, reconstructed } = buildDefinition.externalParameters;
    const { ok, detail } = compareSource(source, wishes);
    const builder = runDetails.builder.id;
    if (reconstructed === true) return check(ok, `${detail}, reconstructed after the build: who built it is not known`);
    const signer = certificate?.workflow;
    const foreign = signer !== undefined && fileOf(builder) !== fileOf(signer);
    return check(ok && !foreign, `${detail}, built by ${builder}${foreign ? `, but signed by ${signer}` : ""}`);
  } catch (error) {
    return check(false, reasonOf(error));
  }
}

/** The check of an image without provenance whose records all say that nothing of it was built here; undefined when they do not. */
export function nothingBuilt(records: readonly unknown[]): VerificationCheck | undefined {
  const said = records.map((record) => recordSchema.safeParse(record).data?.platforms);
  const isNone = said.every((platforms) =>
    platforms?.every(({ origin, adopted }) => origin === "copied" || adopted === true),
  );
  if (said.length === 0 || !isNone) return undefined;
  return { what: "provenance", ok: true, detail: "none, as its mirror record says that nothing of it was built here" };
}

/** Whether a mirror record is about this repository, tag, version, digest and these platforms, and names the source expected. */
export function recordCheck(
  predicate: unknown,
  { name, digest, tag, children, besides, isIndex }: ImageInQuestion,
  wishes: VerificationWishes,
): VerificationCheck {
  const check = (ok: boolean, detail: string) => ({ what: "mirror record", ok, detail });
  const parsed = recordSchema.safeParse(predicate);
  if (!parsed.success) return check(false, "it is none");
  const { image, version, upstream, platforms } = parsed.data;
  const { ok, detail } = compareSource(upstream, wishes);
  const listed = new Map(platforms.map((entry) => [entry.platform, entry.digest]));
  const other = children.find((child) => listed.get(child.platform) !== child.digest);
  const contradictions = [
    image.repository === name ? undefined : `it is about ${image.repository}`,
    image.digest === digest ? undefined : `it is about ${image.digest}`,
    tag === undefined || mayBeCalled(tag, { tag: image.tag, version }) ? undefined : `it is about ${image.tag}`,
    isIndex && other !== undefined
      ? `it names ${listed.get(other.platform) ?? "nothing"} for ${other.platform}`
      : undefined,
    besides.length > 0 && platforms.every(({ origin }) => origin === "built")
      ? `it says that all was built here, and the index holds besides ${besides.join(", ")}`
      : undefined,
  ].filter((line) => line !== undefined);
  return check(ok && contradictions.length === 0, [`${version}, ${detail}`, ...contradictions].join("; "));
}

/** A version's own tag names that version and no other; of tags that move, `1.2` names a 1.2.x, and the rest tell nothing. */
function mayBeCalled(tag: string, own: { readonly tag: string; readonly version: string }): boolean {
  if (tag === own.tag || !isVersion(tag.replace(/^v/, ""))) return true;
  return lineOf(own.version, 1) === tag || lineOf(own.version, 2) === tag;
}

function compareSource(
  source: unknown,
  { source: repository, commit }: VerificationWishes,
): { readonly ok: boolean; readonly detail: string } {
  const said = sourceSchema.safeParse(source);
  if (!said.success) return { ok: false, detail: "it names no source" };
  const detail = `${said.data.repository} at ${said.data.commit}`;
  if (repository !== undefined && said.data.repository !== repository)
    return { ok: false, detail: `${detail}, expected ${repository}` };
  if (commit !== undefined && said.data.commit !== commit)
    return { ok: false, detail: `${detail}, expected ${commit}` };
  return { ok: true, detail };
}

/** A workflow's file without the ref or commit behind it. */
function fileOf(workflow: string): string {
  return workflow.split("@")[0] ?? workflow;
}

/** One thing that was looked at. */
export interface VerificationCheck {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, or what is wrong; from signed data or the registry, so escape it before printing. */
  readonly detail: string;
}

/** An image under verification. */
export interface ImageInQuestion {
  /** With its registry. */
  readonly name: string;
  readonly digest: Digest;
  /** Undefined where a digest was given. */
  readonly tag: string | undefined;
  /** Its platforms; of an image that is no index, itself. */
  readonly children: readonly ImageChild[];
  /** What its index holds or says besides them, in words. */
  readonly besides: readonly string[];
  readonly isIndex: boolean;
}

/** An image of one platform. */
export interface ImageChild {
  readonly platform: Platform;
  readonly digest: Digest;
}

/** What an index lists, and what is wrong with it. */
export interface ImageChildren extends Pick<ImageInQuestion, "children" | "besides"> {
  readonly checks: readonly VerificationCheck[];
}

/** What looking at an image reads. */
export type ImageReader = AttestationReader & {
  imageConfig(repository: string, manifest: ImageManifest): Promise<Pick<ImageConfiguration, "platform">>;
};

/**
 * The platforms of an image, each looked at: whether it is there, and whether it is what the index says. What build tools list besides
 * (attestations without a platform of their own) is no platform. An image that is no index has one, its own.
 * @throws RegistryError when the registry gives no usable answer.
 */
export async function childrenOf(name: string, manifest: Manifest, reader: ImageReader): Promise<ImageChildren> {
  if (manifest.kind === "image") {
    const { platform } = await reader.imageConfig(name, manifest);
    if (platform !== undefined) return { children: [{ platform, digest: manifest.digest }], besides: [], checks: [] };
    return { children: [], besides: [], checks: [bad("platforms", "the image names no platform")] };
  }
  const listed = manifest.manifests.filter((descriptor) => !isAttestation(descriptor));
  if (listed.length === 0) return { children: [], besides: [], checks: [bad("platforms", "the index lists none")] };
  const found = await Promise.all(listed.map((descriptor) => lookAt(name, descriptor, reader)));
  const children = listed.flatMap(({ platform, digest }) => (platform === undefined ? [] : [{ platform, digest }]));
  const names = children.map(({ platform }) => platform);
  const twice = [...new Set(names.filter((platform, position) => names.indexOf(platform) !== position))];
  const { subject, artifactType, annotations } = manifest;
  return {
    children,
    besides: [
      ...manifest.manifests.filter(isAttestation).map(({ digest }) => digest),
      ...(subject ? ["a subject"] : []),
      ...(artifactType === undefined ? [] : ["an artifactType"]),
      ...Object.keys(annotations).map((key) => `the annotation ${JSON.stringify(key)}`),
    ],
    checks: [
      ...twice.map((platform) => bad(`platform ${platform}`, "the index lists it more than once")),
      ...found.filter((check) => check !== undefined),
      ...manifest.otherDigests.map(({ platform, digest }) =>
        bad(`platform ${platform ?? "of a child"}`, `${digest} cannot be checked; accepted is a sha256 digest`),
      ),
    ],
  };
}

async function lookAt(
  name: string,
  { platform, digest }: Descriptor,
  reader: ImageReader,
): Promise<VerificationCheck | undefined> {
  if (platform === undefined) return bad(`child ${digest}`, "the index does not say for which platform it is");
  const what = `platform ${platform}`;
  const manifest = await reader.manifest(`${name}@${digest}`);
  if (manifest === undefined) return bad(what, `${digest} is not in the registry`);
  if (manifest.kind !== "image") return bad(what, `${digest} is not an image`);
  const said = await platformOf(name, manifest, reader);
  return said === platform ? undefined : bad(what, `${digest} is an image for ${said ?? "no platform"}`);
}

async function platformOf(name: string, manifest: ImageManifest, reader: ImageReader): Promise<Platform | undefined> {
  return (await reader.imageConfig(name, manifest)).platform;
}

/** As BuildKit writes them. */
function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform === undefined && annotations["vnd.docker.reference.type"] === "attestation-manifest";
}

function bad(what: string, detail: string): VerificationCheck {
  return { what, ok: false, detail };
}
