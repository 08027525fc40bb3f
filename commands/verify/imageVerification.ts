import type { AttestationKind } from "../../components/model/attestationKind";
import type { Digest } from "../../components/model/digest";
import { parseReference } from "../../components/model/reference";
import type { CertificateSigner, ExpectedSigner } from "../../components/model/signer";
import { type AttestationList, listAttestations } from "../../components/probe/attachedAttestations";
import type { SignedStatement } from "../../components/probe/bundle";
import type { Cosign } from "../../components/attest/cosign";
import { isSbomOf } from "../../components/model/sbom";
import {
  type ImageChild,
  type ImageInQuestion,
  type ImageReader,
  type VerificationCheck,
  type VerificationWishes,
  childrenOf,
  nothingBuilt,
  provenanceCheck,
  recordCheck,
} from "./statementChecks";

/** Who signed an image, and when. */
export interface ImageSigner {
  /** Undefined where a key signed. */
  readonly certificate?: CertificateSigner;
  /** As the log says, or else the certificate, which is good for the ten minutes that follow; ISO 8601, UTC. */
  readonly signedAt?: string;
  readonly logIndexes: readonly string[];
}

/** The result of verifying an image. */
export interface ImageVerification {
  readonly reference: string;
  readonly digest: Digest;
  readonly verified: boolean;
  readonly checks: readonly VerificationCheck[];
  readonly signers: readonly ImageSigner[];
  /** What one might think had been checked, and was not. */
  readonly notChecked: readonly string[];
}

/** What verifying rests on. */
export interface VerificationEdges {
  readonly reader: ImageReader;
  readonly cosign: Pick<Cosign, "verified" | "statements" | "refusal">;
  readonly signer: ExpectedSigner;
}

/**
 * Verifies an image as a cautious user would: the tag is resolved once, and looked at again in the end. Everything between is about
 * digests. The image and, if it is an index, each of its children must be signed by the expected signer; an index lists
 * every platform once, as its image says; every image has its own SBOM; and every provenance and mirror record must be
 * about this very image, tag and source. An image without children may be a platform of an index, which is
 * what carries provenance and record: it need not have them.
 * @throws Error when the registry or cosign gives no usable answer: that is neither verified nor not.
 */
export async function verifyImage(
  reference: string,
  wishes: VerificationWishes,
  given: VerificationEdges,
): Promise<ImageVerification> {
  const edges = { ...given, cosign: thorough(given) };
  const { reader } = edges;
  const { registry, repository, tag, digest: pinned } = parseReference(reference);
  const name = `${registry}/${repository}`;
  const manifest = await reader.manifest(reference);
  if (!manifest) throw new Error(`${reference} is not in the registry`);
  const { digest } = manifest;
  const { children, besides, checks: childChecks } = await childrenOf(name, manifest, reader);
  const list = await listAttestations(reader, name, digest, edges.signer);
  const image = {
    name,
    digest,
    tag: pinned === undefined ? tag : undefined,
    children,
    besides,
    isIndex: manifest.kind === "index",
  };
  const checks = [
    ...childChecks,
    await signatureCheck("image", `${name}@${digest}`, list, edges),
    ...(image.isIndex ? await Promise.all(children.map((child) => childSignature(name, child, edges))) : []),
    ...(wishes.sbom ? await sbomChecks(image, edges) : []),
    ...(wishes.provenance ? await statementChecks(image, list, wishes, edges) : []),
    ...(image.tag === undefined ? [] : [await steadyTag(reference, digest, reader)]),
  ];
  return {
    reference,
    digest,
    verified: checks.every(({ ok }) => ok),
    checks,
    signers: list.bundles.flatMap(({ kind, statement }) =>
      kind === "signature" && statement ? [signerOf(statement)] : [],
    ),
    notChecked: leftOut(image, list, wishes, edges.signer),
  };
}

/** What cosign says when it has seen none of what it was asked for. */
const sawNothing = /no signatures found|none of the attestations matched/;

/**
 * cosign leaves out in silence what it cannot fetch, and ends as if it were not there. Where the registry lists what cosign does not
 * see, the list is read once more, which names a rate limit or an outage, and cosign is asked again.
 */
function thorough({ reader, cosign, signer }: VerificationEdges): VerificationEdges["cosign"] {
  const complete = async <T>(
    reference: string,
    kind: AttestationKind,
    ask: () => Promise<T>,
    count: (answer: T) => number,
  ): Promise<T> => {
    const first = await ask();
    if (count(first) > 0) return first;
    const { registry, repository, digest } = parseReference(reference);
    if (digest === undefined) return first;
    const listed = (await listAttestations(reader, `${registry}/${repository}`, digest, signer)).counts[kind];
    if (listed === 0) return first;
    const second = await ask();
    const said = cosign.refusal(reference) ?? "";
    if (count(second) > 0 || !sawNothing.test(said)) return second;
    throw new Error(`the registry lists ${listed} of kind ${kind} on ${reference}, of which cosign saw none: ${said}`);
  };
  return {
    refusal: (reference) => cosign.refusal(reference),
    verified: (reference) =>
      complete(
        reference,
        "signature",
        () => cosign.verified(reference),
        ({ signature }) => signature,
      ),
    statements: (reference, kind) =>
      complete(
        reference,
        kind,
        () => cosign.statements(reference, kind),
        ({ length }) => length,
      ),
  };
}

async function childSignature(
  name: string,
  { platform, digest }: ImageChild,
  edges: VerificationEdges,
): Promise<VerificationCheck> {
  const list = await listAttestations(edges.reader, name, digest, edges.signer);
  return signatureCheck(platform, `${name}@${digest}`, list, edges);
}

/** Both must accept it: cosign vouches for certificate, log and time, the bundle says which of several refs it was. */
async function signatureCheck(
  what: string,
  reference: string,
  list: AttestationList,
  { cosign }: VerificationEdges,
): Promise<VerificationCheck> {
  const check = (ok: boolean, detail: string) => ({ what: `signature ${what}`, ok, detail });
  const signatures = list.bundles.filter(({ kind }) => kind === "signature");
  if (signatures.length === 0) return check(false, "there is none");
  const problem = signatures.find((bundle) => bundle.problem !== undefined)?.problem;
  if (list.counts.signature === 0) return check(false, `none by the expected signer: ${problem ?? ""}`);
  const { signature } = await cosign.verified(reference);
  if (signature > 0) return check(true, reference);
  return check(false, `cosign accepts none: ${cosign.refusal(reference) ?? "it gave no reason"}`);
}

async function sbomChecks(
  { name, digest: index, children }: ImageInQuestion,
  { cosign }: VerificationEdges,
): Promise<readonly VerificationCheck[]> {
  const onIndex = await cosign.statements(`${name}@${index}`, "sbom");
  return Promise.all(
    children.map(async ({ platform, digest }) => {
      const subject = { repository: name, digest, platform };
      const own = digest === index ? onIndex : await cosign.statements(`${name}@${digest}`, "sbom");
      const found = own.find(({ predicate }) => isSbomOf(predicate, subject));
      const listed = onIndex.some(({ predicate }) => isSbomOf(predicate, subject));
      const packages = packagesIn(found?.predicate);
      const missing = found === undefined ? "none about this very image" : listed ? undefined : "missing on the index";
      // Nothing signed is ever taken away; the right one beside it says which image it is of.
      const others = own.length > 1 && own.some(({ predicate }) => !isSbomOf(predicate, subject));
      return {
        what: `SBOM ${platform}`,
        ok: missing === undefined,
        detail:
          missing ??
          `SPDX 2.3, ${packages} ${packages === 1 ? "package" : "packages"}${others ? "; beside it is one of another image" : ""}`,
      };
    }),
  );
}

/** Scanners list the image itself as a package too, which is none in it. */
function packagesIn(document: unknown): number {
  type Listed = { readonly packages?: readonly { readonly primaryPackagePurpose?: string }[] };
  const { packages = [] } = (document ?? {}) as Listed;
  return packages.filter(({ primaryPackagePurpose }) => primaryPackagePurpose !== "CONTAINER").length;
}

/** Every valid statement must be right: one that names another source would be believed by somebody. */
async function statementChecks(
  image: ImageInQuestion,
  list: AttestationList,
  wishes: VerificationWishes,
  { cosign }: VerificationEdges,
): Promise<readonly VerificationCheck[]> {
  const reference = `${image.name}@${image.digest}`;
  const certificate = list.bundles.find(({ statement }) => statement?.certificate)?.statement?.certificate;
  const [provenances, records] = await Promise.all([
    cosign.statements(reference, "provenance"),
    cosign.statements(reference, "mirror"),
  ]);
  const none = (what: string) => ({ what, ok: false, detail: "none by the expected signer" });
  return [
    ...provenances.map(({ predicate }) => provenanceCheck(predicate, wishes, certificate)),
    ...(provenances.length === 0 && image.isIndex
      ? [nothingBuilt(records.map(({ predicate }) => predicate)) ?? none("provenance")]
      : []),
    ...records.map(({ predicate }) => recordCheck(predicate, image, wishes)),
    ...(records.length === 0 && image.isIndex ? [none("mirror record")] : []),
  ];
}

async function steadyTag(
  reference: string,
  digest: Digest,
  reader: Pick<ImageReader, "manifest">,
): Promise<VerificationCheck> {
  const now = await reader.manifest(reference);
  const ok = now?.digest === digest;
  const detail = ok ? digest : `it moved to ${now?.digest ?? "nothing"} while it was verified`;
  return { what: "tag", ok, detail };
}

function signerOf({ certificate, signedAt, logIndexes }: SignedStatement): ImageSigner {
  return { ...(certificate && { certificate }), ...(signedAt && { signedAt: signedAt.toISOString() }), logIndexes };
}

function leftOut(
  { tag, isIndex }: ImageInQuestion,
  { counts }: AttestationList,
  { sbom, provenance, source, commit }: VerificationWishes,
  signer: ExpectedSigner,
): readonly string[] {
  const floating = tag !== undefined && !/^v?\d+\.\d+\.\d+/.test(tag);
  return [
    !isIndex && provenance && counts.provenance === 0
      ? "provenance and mirror record, which the index of a version carries; this is one image"
      : undefined,
    sbom ? undefined : "SBOMs (--no-sbom)",
    provenance ? undefined : "provenance and mirror record (--no-provenance)",
    provenance && source === undefined ? "which upstream repository it comes from (--source)" : undefined,
    provenance && commit === undefined ? "which commit it was built from (--commit)" : undefined,
    "subject" in signer ? undefined : "which workflow signed and built: a key does not say",
    floating ? `whether ${JSON.stringify(tag)} names the version it should: tags like it are meant to move` : undefined,
  ].filter((line) => line !== undefined);
}
