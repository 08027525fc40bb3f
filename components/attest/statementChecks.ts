import { z } from "zod";
import { reasonOf } from "../model/reasonOf";
import type { CertificateSigner } from "../model/signer";
import { isVersion, lineOf } from "../model/version";
import type { ImageInQuestion, VerificationCheck } from "./imageChildren";
import { parseSlsaProvenance } from "./slsaProvenance";

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
  platforms: z.array(z.looseObject({ platform: z.string(), digest: z.string() })),
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

/** Whether a mirror record is about this repository, tag, version, digest and these platforms, and names the source expected. */
export function recordCheck(
  predicate: unknown,
  { name, digest, tag, children, isIndex }: ImageInQuestion,
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
