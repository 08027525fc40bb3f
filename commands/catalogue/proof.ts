import { createHash } from "node:crypto";
import { z } from "zod";
import type { Cosign } from "../../components/attest/cosign";
import { type ImageVerification, verifyImage } from "../verify/imageVerification";
import { recordsIn } from "../../components/attest/provenance";
import { isSbomOf } from "../../components/model/sbom";
import { verificationCommands } from "../../components/attest/verifyCommands";
import type { AttestConfig } from "../../components/config/attestConfig";
import { builtRecordSchema } from "../../components/model/buildRecord";
import { type Digest, isDigest } from "../../components/model/digest";
import { type PerPlatform, platformEntries } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";
import type { ExpectedSigner } from "../../components/model/signer";
import type { RegistryClient } from "../../components/registry/registryClient";
import { RegistryError } from "../../components/registry/registryError";
import type { DigestCache } from "./digestCache";
import { versionSchema } from "./schema";

const recordSchema = z.looseObject({
  upstream: z.looseObject({ repository: z.string(), reference: z.string(), commit: z.string() }),
  version: z.string(),
  image: z.looseObject({ tag: z.string() }),
  platforms: z.array(
    z.looseObject({
      platform: z.string(),
      digest: z.string(),
      origin: z.enum(["built", "copied", "kept"]),
      from: z.string().optional(),
      adopted: z.boolean().optional(),
    }),
  ),
});

const factsSchema = z.strictObject({
  proof: versionSchema.shape.proof.omit({ commands: true }),
  /** The mirror record, verified. */
  record: recordSchema.optional(),
  /** Build records of the images, out of verified provenance. */
  builds: z.array(builtRecordSchema),
  /** By platform digest: the document, which is stored under its own checksum. */
  sboms: z.record(z.string(), z.string()),
  provenances: z.record(z.string(), z.unknown()),
});

/** What is signed about a version, all of it verified with cosign. */
export type ProofFacts = z.output<typeof factsSchema>;

/** One version in the registry. */
export interface PublishedImage {
  /** With its registry. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly platforms: PerPlatform<Digest>;
}

/** What proving rests on. */
export interface ProofEdges {
  readonly reader: RegistryClient;
  readonly cache: DigestCache;
  readonly now: Date;
  readonly attest: AttestConfig;
  /** Undefined where nothing is signed, or nothing can be verified here: `reason` says why. */
  readonly verifier?: {
    readonly cosign: Pick<Cosign, "verified" | "statements" | "refusal">;
    readonly signer: ExpectedSigner;
    /** Everything a verdict depends on besides the registry: the signer, the services, how it is checked. */
    readonly terms: string;
  };
  readonly reason?: string;
  readonly identity: string;
}

/**
 * Verifies a version as `npm run verify` does, and gathers what is stated about it. Done once for the same digests, attachments and
 * signer, as the verdict on those cannot change; `at` says when that was.
 * @throws RegistryError when the registry gives no usable answer. That cosign could not do its work is "not checked".
 */
export async function proofOf(image: PublishedImage, edges: ProofEdges): Promise<ProofFacts> {
  const { verifier, reader, cache } = edges;
  if (verifier === undefined) return unchecked(edges, edges.reason ?? "");
  const digests = [...new Set([image.digest, ...Object.values(image.platforms)])].toSorted();
  const attached = await Promise.all(
    digests.map(async (digest) => (await reader.referrers(image.repository, digest)).map((entry) => entry.digest)),
  );
  const about = [
    image.repository,
    image.tag,
    image.digest,
    verifier.terms,
    ...attached.map((list) => list.toSorted().join()),
  ];
  const known = await cache.read("proof-1", about, factsSchema);
  if (known !== undefined) return known;
  try {
    const facts = await prove(image, { ...edges, verifier });
    await cache.write("proof-1", about, facts);
    return facts;
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    return unchecked(edges, reasonOf(error));
  }
}

function unchecked({ now, identity }: ProofEdges, reason: string): ProofFacts {
  const state = "not checked" as const;
  const proof = { state, at: now.toISOString(), reason, identity, signers: [], checks: [], notChecked: [] };
  return { proof, builds: [], sboms: {}, provenances: {} };
}

async function prove(
  image: PublishedImage,
  { reader, cache, now, attest, verifier, identity }: ProofEdges & Required<Pick<ProofEdges, "verifier">>,
): Promise<ProofFacts> {
  const cosign = remembering(verifier.cosign);
  const reference = `${image.repository}:${image.tag}`;
  const wishes = { sbom: attest.sbom, provenance: attest.provenance };
  const verification = await verifyImage(reference, wishes, { reader, cosign, signer: verifier.signer });
  if (verification.digest !== image.digest) {
    throw new RegistryError("malformed", `${reference} moved from ${image.digest} to ${verification.digest} meanwhile`);
  }
  const onIndex = `${image.repository}@${image.digest}`;
  const records = await cosign.statements(onIndex, "mirror");
  const record = records.map(({ predicate }) => recordSchema.safeParse(predicate)).find(({ success }) => success)?.data;
  const { sboms, provenances } = await statementsOf(image, cosign, cache);
  const built = new Map(
    Object.values(provenances)
      .flatMap(recordsIn)
      .filter(({ image: made }) => Object.values(image.platforms).includes(made.digest))
      .map((build) => [build.image.digest, build]),
  );
  const checks = verification.checks.filter((check) => !(isNeedless(check) && record && isCopied(record)));
  const at = now.toISOString();
  return factsSchema.parse({
    proof: {
      state: stateOf(checks, verification),
      at,
      identity,
      signers: verification.signers.map(signerRow),
      checks: checks.map((check) => ({ ...check, at })),
      notChecked: verification.notChecked,
    },
    ...(record && { record }),
    builds: [...built.values()],
    sboms,
    provenances,
  });
}

/** Nothing was built here, so there is nothing a provenance could say. */
function isNeedless({ what, detail }: ImageVerification["checks"][number]): boolean {
  return what === "provenance" && detail === "none by the expected signer";
}

function isCopied({ platforms }: z.output<typeof recordSchema>): boolean {
  return platforms.every(({ origin }) => origin === "copied");
}

function stateOf(checks: ImageVerification["checks"], { signers }: ImageVerification): ProofFacts["proof"]["state"] {
  if (checks.every(({ ok }) => ok)) return "verified";
  return signers.length === 0 ? "unsigned" : "failed";
}

function signerRow({ certificate, signedAt, logIndexes }: ImageVerification["signers"][number]) {
  return {
    subject: certificate?.subject ?? "the key",
    ...(certificate?.run !== undefined && { run: certificate.run }),
    ...(signedAt !== undefined && { signedAt }),
    logIndexes,
  };
}

/** The SBOM and the provenance of every image, and the provenance of the index. Documents are kept in the cache by checksum. */
async function statementsOf(
  { repository, digest: index, platforms }: PublishedImage,
  cosign: Pick<Cosign, "statements">,
  cache: DigestCache,
): Promise<Pick<ProofFacts, "sboms" | "provenances">> {
  const sboms: Record<string, string> = {};
  const provenances: Record<string, unknown> = {};
  const [onIndex] = await cosign.statements(`${repository}@${index}`, "provenance");
  if (onIndex) provenances[index] = onIndex.predicate;
  for (const [platform, digest] of platformEntries(platforms)) {
    const subject = { repository, digest, platform };
    const found = await cosign.statements(`${repository}@${digest}`, "sbom");
    const sbom = found.find(({ predicate }) => isSbomOf(predicate, subject))?.predicate;
    if (sbom !== undefined) sboms[digest] = await keepDocument(sbom, cache);
    const [own] = digest === index ? [] : await cosign.statements(`${repository}@${digest}`, "provenance");
    if (own) provenances[digest] = own.predicate;
  }
  return { sboms, provenances };
}

async function keepDocument(value: unknown, cache: DigestCache): Promise<string> {
  const checksum = createHash("sha256").update(JSON.stringify(value)).digest("hex");
  await cache.write("sbom-1", [checksum], value);
  return checksum;
}

/** The file of a document that {@link proofOf} named by its checksum. */
export function keptDocument(checksum: string, cache: DigestCache): string {
  return cache.file("sbom-1", [checksum]);
}

/** Asks cosign each question once: verifying and reading what was verified ask the same. */
function remembering(cosign: Pick<Cosign, "verified" | "statements" | "refusal">): typeof cosign {
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = answers.get(key) ?? ask();
    answers.set(key, answer);
    return answer as Promise<T>;
  };
  return {
    verified: (reference) => once(reference, () => cosign.verified(reference)),
    statements: (reference, kind) => once(`${reference} ${kind}`, () => cosign.statements(reference, kind)),
    refusal: (reference) => cosign.refusal(reference),
  };
}

/** The commands for a version, with the digest it has now. @param how arguments of `cosign verify`; undefined: nothing is signed. */
export function proofCommands({ repository, digest }: PublishedImage, how: readonly string[] | undefined): string[] {
  return how === undefined || !isDigest(digest) ? [] : [...verificationCommands(`${repository}@${digest}`, how)];
}
