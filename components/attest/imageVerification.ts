import type { Digest } from "../model/digest";
import { type Platform, platformEntries } from "../model/platform";
import type { Probe } from "../model/probe";
import type { Cosign, VerifiedStatement } from "./cosign";
import { isSbomOf } from "./sbom";
import { parseSlsaProvenance } from "./slsaProvenance";
import { reasonOf } from "../model/reasonOf";

/** One thing that was looked at. */
export interface VerificationCheck {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, or what is wrong; from signed data or the registry, so escape it before printing. */
  readonly detail: string;
}

/** The result of verifying an image. */
export interface ImageVerification {
  readonly reference: string;
  readonly digest: Digest;
  readonly verified: boolean;
  readonly checks: readonly VerificationCheck[];
}

/** What the image is expected to be. */
export interface VerificationWishes {
  /** Upstream repository the provenance must name. */
  readonly repository?: string;
  /** Upstream commit the provenance must name. */
  readonly commit?: string;
  readonly sbom: boolean;
  readonly provenance: boolean;
}

type Verifier = Pick<Cosign, "verified" | "statements">;

/**
 * Verifies an image as a cautious user would: the tag is resolved once, and everything after that is about digests. The
 * index and every platform must be signed, every platform must have its own SBOM, on its manifest and on the index, and
 * the provenance must be a valid one about the expected source.
 * @param name repository with its registry.
 * @throws Error when the registry or cosign gives no usable answer: that is neither verified nor not.
 */
export async function verifyImage(
  reference: string,
  name: string,
  probe: Probe,
  verifier: Verifier,
  wishes: VerificationWishes,
): Promise<ImageVerification> {
  if (probe.state === "unknown")
    throw new Error(`the registry gave no usable answer about ${reference}: ${probe.reason}`);
  if (probe.state === "absent") throw new Error(`${reference} is not in the registry`);
  const platforms = platformEntries(probe.platforms);
  const index = `${name}@${probe.digest}`;
  const none = { what: "platforms", ok: false, detail: "the index lists none" };
  const checks = await Promise.all([
    signature("index", index, verifier),
    ...platforms.map(([platform, digest]) => signature(platform, `${name}@${digest}`, verifier)),
    ...(wishes.sbom ? [sboms(name, probe.digest, platforms, verifier)] : []),
    ...(wishes.provenance ? [provenanceChecks(index, verifier, wishes), mirrorChecks(index, verifier, wishes)] : []),
  ]);
  const all = [...(platforms.length === 0 ? [none] : []), ...checks.flat()];
  return { reference, digest: probe.digest, verified: all.every(({ ok }) => ok), checks: all };
}

async function signature(what: string, reference: string, verifier: Verifier): Promise<VerificationCheck> {
  const { signature: count } = await verifier.verified(reference);
  const detail = count > 0 ? reference : "no signature by the expected key or identity";
  return { what: `signature ${what}`, ok: count > 0, detail };
}

async function sboms(
  name: string,
  index: Digest,
  platforms: readonly (readonly [Platform, Digest])[],
  verifier: Verifier,
): Promise<VerificationCheck[]> {
  const onIndex = await verifier.statements(`${name}@${index}`, "sbom");
  return Promise.all(
    platforms.map(async ([platform, digest]) => {
      const subject = { repository: name, digest, platform };
      const own = digest === index ? onIndex : await verifier.statements(`${name}@${digest}`, "sbom");
      const found = own.find(({ predicate }) => isSbomOf(predicate, subject));
      const listed = onIndex.some(({ predicate }) => isSbomOf(predicate, subject));
      const detail =
        found === undefined ? "none about this very image" : listed ? describeSbom(found) : "missing on the index";
      return { what: `SBOM ${platform}`, ok: found !== undefined && listed, detail };
    }),
  );
}

function describeSbom({ predicate }: VerifiedStatement): string {
  const packages = (predicate as { readonly packages?: readonly unknown[] }).packages ?? [];
  return `SPDX 2.3, ${packages.length} packages`;
}

/** Every valid provenance must agree: one that names another source would be believed by somebody. */
async function provenanceChecks(
  index: string,
  verifier: Verifier,
  wishes: VerificationWishes,
): Promise<VerificationCheck[]> {
  const statements = await verifier.statements(index, "provenance");
  if (statements.length === 0)
    return [{ what: "provenance", ok: false, detail: "none by the expected key or identity" }];
  return statements.map(({ predicate }) => {
    try {
      const { buildDefinition, runDetails } = parseSlsaProvenance(predicate);
      const source = buildDefinition.externalParameters["source"];
      const { ok, detail } = compareSource(source, wishes);
      return { what: "provenance", ok, detail: `${detail}, built by ${runDetails.builder.id}` };
    } catch (error) {
      return { what: "provenance", ok: false, detail: reasonOf(error) };
    }
  });
}

async function mirrorChecks(
  index: string,
  verifier: Verifier,
  wishes: VerificationWishes,
): Promise<VerificationCheck[]> {
  const statements = await verifier.statements(index, "mirror");
  if (statements.length === 0)
    return [{ what: "mirror record", ok: false, detail: "none by the expected key or identity" }];
  return statements.map(({ predicate }) => {
    const upstream =
      typeof predicate === "object" && predicate !== null && "upstream" in predicate ? predicate.upstream : undefined;
    return { what: "mirror record", ...compareSource(upstream, wishes) };
  });
}

function compareSource(
  source: unknown,
  { repository, commit }: VerificationWishes,
): { readonly ok: boolean; readonly detail: string } {
  const said = typeof source === "object" && source !== null ? (source as Record<string, unknown>) : {};
  const detail = `${String(said["repository"])} at ${String(said["commit"])}`;
  if (typeof said["repository"] !== "string" || typeof said["commit"] !== "string")
    return { ok: false, detail: "it names no source" };
  if (repository !== undefined && said["repository"] !== repository)
    return { ok: false, detail: `${detail}, expected ${repository}` };
  if (commit !== undefined && said["commit"] !== commit) return { ok: false, detail: `${detail}, expected ${commit}` };
  return { ok: true, detail };
}
