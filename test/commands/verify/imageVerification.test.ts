import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ImageVerification, verifyImage } from "../../../commands/verify/imageVerification";
import type { VerificationWishes } from "../../../commands/verify/statementChecks";
import { mirrorPredicate } from "../../../components/attest/mirrorPredicate";
import { provenance } from "../../../components/attest/provenance";
import { sbomName } from "../../../components/model/sbom";
import { composeVersionRecord } from "../../../components/decide/composeVersionRecord";
import type { BuiltRecord } from "../../../components/model/buildRecord";
import type { Digest } from "../../../components/model/digest";
import type { ExpectedSigner } from "../../../components/model/signer";
import { listAttestations } from "../../../components/probe/attachedAttestations";
import { RegistryClient } from "../../../components/registry/registryClient";
import { AttestedRegistry } from "../../attest/attestedRegistry";
import { exampleSigner, testCertificate } from "../../attest/bundles";
import { exampleBuild, exampleRecord } from "../../attest/fixtures";

const signer: ExpectedSigner = {
  subject: { exactly: [exampleSigner.subject] },
  issuer: { exactly: [exampleSigner.issuer] },
  repository: "example/mirror",
  refs: ["refs/heads/main"],
};
const [amd64, arm64] = ["linux/amd64", "linux/arm64"] as const;

let registry: AttestedRegistry;
let client: RegistryClient;
/** Called when cosign is asked. */
let meanwhile: () => void;

beforeEach(async () => {
  registry = await new AttestedRegistry(true).start();
  registry.signer = await testCertificate();
  client = new RegistryClient({ environment: {}, retryBudgetMs: 1 });
  meanwhile = () => undefined;
});
afterEach(async () => {
  await client.close();
  await registry.stop();
});

/** A cosign that accepts what reads well; that it asks the authorities as well is for the end-to-end tests. */
const cosign = {
  verified: async (reference: string) => {
    meanwhile();
    const [name = "", digest] = reference.split("@");
    return (await listAttestations(client, name, digest as Digest, signer)).counts;
  },
  statements: async (reference: string, wanted: string) => {
    const [name = "", digest] = reference.split("@");
    const { bundles } = await listAttestations(client, name, digest as Digest, signer);
    return bundles.flatMap(({ kind, statement }) => (kind === wanted && statement ? [statement] : []));
  },
  refusal: () => undefined,
};

const verify = (tag = "1.0.0", wishes: Partial<VerificationWishes> = {}): Promise<ImageVerification> => {
  const reference = tag.startsWith("sha256:") ? `${registry.repository}@${tag}` : `${registry.repository}:${tag}`;
  return verifyImage(reference, { sbom: true, provenance: true, ...wishes }, { reader: client, cosign, signer });
};
const failures = async (tag?: string, wishes?: Partial<VerificationWishes>): Promise<readonly string[]> => {
  const { verified, checks } = await verify(tag, wishes);
  const failed = checks.filter(({ ok }) => !ok).map(({ what, detail }) => `${what}: ${detail}`);
  expect(verified).toBe(failed.length === 0);
  return failed;
};

type Platforms = readonly (readonly [platform: string, digest: Digest])[];

const sbom = (subject: Digest, [platform, digest]: Platforms[number]): void => {
  const name = sbomName({ repository: registry.repository, digest, platform: platform as "linux/amd64" });
  registry.attach(subject, "sbom", { predicate: JSON.stringify({ name, packages: [{}] }) });
};
const statements = (
  index: Digest,
  platforms: Platforms,
  { reconstructed, ...change }: Partial<BuiltRecord> & { readonly reconstructed?: true } = {},
  repository = registry.repository,
  digest = index,
): void => {
  const images = Object.fromEntries(platforms);
  const about = { version: "1.0.0", tag: "1.0.0", ...change };
  const records = [amd64, arm64]
    .filter((platform) => platform in images)
    .map((platform) => exampleBuild(platform, about));
  const record = composeVersionRecord({ ...exampleRecord, ...about, repository, records, present: {} });
  const made = provenance(record, images);
  if (reconstructed) Object.assign(made?.buildDefinition.externalParameters ?? {}, { reconstructed });
  const mirror = mirrorPredicate(record, { repository, digest, platforms: images });
  registry.attach(index, "provenance", { predicate: JSON.stringify(made) });
  registry.attach(index, "mirror", { predicate: JSON.stringify(mirror) });
};
/** Everything that a version carries. */
const complete = (index = registry.index, platforms: Platforms = Object.entries(registry.platforms)): void => {
  registry.attach(index, "signature");
  for (const platform of platforms) {
    registry.attach(platform[1], "signature");
    sbom(platform[1], platform);
    sbom(index, platform);
  }
};

describe("verifying a version", () => {
  it("accepts one that carries all it should, and says who signed it and what was not looked at", async () => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    const { verified, signers, notChecked, digest } = await verify();
    expect([verified, digest]).toEqual([true, registry.index]);
    expect(signers).toEqual([{ certificate: exampleSigner, signedAt: "2026-01-01T00:00:00.000Z", logIndexes: [] }]);
    expect(notChecked).toEqual([expect.stringContaining("--source"), expect.stringContaining("--commit")]);
  });

  it.each(["latest", "1.0", "1", "sha-0123456"])("accepts it by the tag %s, which may move", async (tag) => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    registry.tags.set(tag, registry.index);
    expect(await failures(tag)).toEqual([]);
    expect((await verify(tag)).notChecked).toContainEqual(expect.stringContaining(`whether "${tag}" names`));
  });

  it.each(["1.0.1", "1.1", "2", "v1.0.1", "2026-07b", "1.0-r2"])(
    "refuses it by the tag %s, which is another version's",
    async (tag) => {
      complete();
      statements(registry.index, Object.entries(registry.platforms));
      registry.tags.set(tag, registry.index);
      expect(await failures(tag)).toEqual([expect.stringMatching(/^mirror record: .*; it is about 1\.0\.0$/)]);
    },
  );

  it.each<[string, object, readonly string[]]>([
    ["copied from upstream", { origin: "copied", from: "docker.io/app@sha256:1" }, []],
    ["taken over from others", { origin: "kept", adopted: true }, []],
    ["built", { origin: "built" }, ["provenance: none by the expected signer"]],
    ["there before", { origin: "kept" }, ["provenance: none by the expected signer"]],
  ])("wants provenance of what may have been built here: all of it was %s", async (_, origin, failed) => {
    complete();
    const platforms = Object.entries(registry.platforms);
    const record = composeVersionRecord({
      ...exampleRecord,
      version: "1.0.0",
      tag: "1.0.0",
      records: [],
      present: {},
      repository: "",
    });
    const stated = { ...record, platforms: Object.fromEntries(platforms.map(([platform]) => [platform, origin])) };
    const image = { repository: registry.repository, digest: registry.index, platforms: registry.platforms };
    const predicate = mirrorPredicate(stated as typeof record, image);
    registry.attach(registry.index, "mirror", { predicate: JSON.stringify(predicate) });
    expect(await failures()).toEqual(failed);
  });

  it("refuses a record about another repository or another index", async () => {
    complete();
    const other: Digest = `sha256:${"9".repeat(64)}`;
    const platforms = Object.entries(registry.platforms);
    statements(registry.index, platforms, {}, "ghcr.io/other/app", other);
    expect(await failures()).toEqual([expect.stringContaining(`it is about ghcr.io/other/app; it is about ${other}`)]);
  });

  it("refuses a record that names another image for a platform", async () => {
    complete();
    const platforms = [
      [amd64, registry.platforms[amd64]],
      [arm64, registry.image("arm64", "other")],
    ] as const;
    statements(registry.index, platforms);
    expect(await failures()).toEqual([expect.stringMatching(/^mirror record: .*names sha256:.* for linux\/arm64/)]);
  });

  it("refuses a tag that moves in the meantime", async () => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    meanwhile = () => void registry.publish("1.0.0", [[amd64, registry.platforms[amd64]]]);
    expect(await failures()).toEqual([expect.stringMatching(/^tag: it moved to sha256:/)]);
  });

  it("refuses a second, unsigned image for a platform", async () => {
    const stranger = registry.image("amd64", "stranger");
    const own = Object.entries(registry.platforms);
    const index = registry.publish("1.0.0", [...own, [amd64, stranger]]);
    complete(index, own);
    statements(index, own);
    expect(await failures()).toEqual([
      "platform linux/amd64: the index lists it more than once",
      "signature linux/amd64: there is none",
      "SBOM linux/amd64: none about this very image",
      expect.stringMatching(/^mirror record/),
    ]);
  });

  it("refuses an image that is listed by a digest it cannot check, which clients may take", async () => {
    const unread = `sha512:${"8".repeat(128)}`;
    const own = Object.entries(registry.platforms);
    const index = registry.publish("1.0.0", [[amd64, unread as Digest], ...own]);
    complete(index, own);
    statements(index, own);
    expect(await failures()).toEqual([
      `platform linux/amd64: ${unread} cannot be checked; accepted is a sha256 digest`,
    ]);
  });

  it("refuses a lost child, and one that is for another platform than the index says", async () => {
    const lost: Digest = `sha256:${"8".repeat(64)}`;
    const platforms = [
      [amd64, registry.image("s390x")],
      [arm64, lost],
    ] as const;
    const index = registry.publish("1.0.0", platforms);
    complete(index, platforms);
    statements(index, platforms);
    expect(await failures()).toEqual([
      expect.stringMatching(/^platform linux\/amd64: .* is an image for linux\/s390x$/),
      expect.stringMatching(/^platform linux\/arm64: .* is not in the registry$/),
    ]);
  });

  it("refuses an index within the index, and an empty one", async () => {
    registry.publish("1.0.0", [[amd64, registry.index]]);
    expect(await failures(undefined, { sbom: false, provenance: false })).toContainEqual(
      expect.stringMatching(/^platform linux\/amd64: .* is not an image$/),
    );
    registry.publish("1.0.0", []);
    expect(await failures()).toContain("platforms: the index lists none");
  });

  it("refuses an index that says more than its images where its record says that all was built here", async () => {
    const platforms = Object.entries(registry.platforms);
    const index = registry.publish("1.0.0", platforms, {
      annotations: { "org.example.source": "https://evil.example" },
    });
    complete(index, platforms);
    statements(index, platforms);
    expect(await failures()).toEqual([
      expect.stringMatching(
        /^mirror record: .*it says that all was built here, and the index holds besides the annotation "org\.example\.source"$/,
      ),
    ]);
  });

  it("tells of another image's SBOM beside a platform's own", async () => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    sbom(registry.platforms[amd64], [arm64, registry.platforms[arm64]]);
    const { verified, checks } = await verify();
    expect(verified).toBe(true);
    expect(checks.filter(({ what }) => what.startsWith("SBOM")).map(({ detail }) => detail)).toEqual([
      "SPDX 2.3, 1 package; beside it is one of another image",
      "SPDX 2.3, 1 package",
    ]);
  });

  it("refuses a platform without SBOM, and an index that does not carry it", async () => {
    const platforms = Object.entries(registry.platforms);
    registry.attach(registry.index, "signature");
    for (const platform of platforms) registry.attach(platform[1], "signature");
    sbom(registry.index, platforms[0]!);
    sbom(platforms[1]![1], platforms[1]!);
    statements(registry.index, platforms);
    expect(await failures()).toEqual([
      "SBOM linux/amd64: none about this very image",
      "SBOM linux/arm64: missing on the index",
    ]);
    expect(await failures(undefined, { sbom: false })).toEqual([]);
  });

  it("refuses a provenance whose builder is not the workflow that signed", async () => {
    complete();
    const builder = { id: "https://github.com/example/other/.github/workflows/mirror.yml@refs/heads/main" };
    statements(registry.index, Object.entries(registry.platforms), { builder });
    expect(await failures()).toEqual([expect.stringMatching(/^provenance: .*, but signed by https:.*example\/mirror/)]);
  });

  it("says of a provenance that it was reconstructed, and does not take its builder for one", async () => {
    complete();
    const builder = { id: "https://multiarch-mirror.github.io/builder/v1" };
    statements(registry.index, Object.entries(registry.platforms), { builder, reconstructed: true });
    const { checks, verified } = await verify();
    expect(verified).toBe(true);
    expect(checks.find(({ what }) => what === "provenance")?.detail).toContain("reconstructed after the build");
  });

  it("refuses another source or commit than the one asked for", async () => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    const { repository, commit } = exampleRecord.upstream;
    expect(await failures(undefined, { source: repository, commit })).toEqual([]);
    expect(await failures(undefined, { source: "https://github.com/example/fork" })).toHaveLength(2);
    expect(await failures(undefined, { commit: "f".repeat(40) })).toHaveLength(2);
  });

  it("refuses what a stranger signed, and says who", async () => {
    registry.signer = await testCertificate({ ...exampleSigner, repository: "example/stranger" });
    complete();
    expect(await failures(undefined, { sbom: false, provenance: false })).toContain(
      'signature image: none by the expected signer: signed for the repository "example/stranger"',
    );
  });

  it("accepts a platform by its digest, and says that provenance is the index's to carry", async () => {
    complete();
    const { verified, notChecked } = await verify(registry.platforms[arm64]);
    expect(verified).toBe(true);
    expect(notChecked[0]).toContain("provenance and mirror record, which the index of a version carries");
    expect(await failures(registry.image("amd64", "stranger"))).toContain("signature image: there is none");
  });

  it("is neither verified nor not when cosign sees less than the registry lists, and a rate limit is named", async () => {
    complete();
    statements(registry.index, Object.entries(registry.platforms));
    const blind = {
      verified: async () => (meanwhile(), { signature: 0, sbom: 0, provenance: 0, mirror: 0 }),
      statements: async () => [],
      refusal: () => "Error: no signatures found",
    };
    const verifyBlind = () =>
      verifyImage(
        `${registry.repository}:1.0.0`,
        { sbom: true, provenance: true },
        { reader: client, cosign: blind, signer },
      );
    await expect(verifyBlind()).rejects.toThrow(/lists 1 of kind signature on .*, of which cosign saw none: Error: no/);
    meanwhile = () => (registry.outage = 429);
    await expect(verifyBlind()).rejects.toThrow(/429/);
  });

  it("is neither verified nor not when the registry gives no answer, or has no such image", async () => {
    await expect(verify("9.9.9")).rejects.toThrow("is not in the registry");
    registry.outage = 503;
    await expect(verify()).rejects.toThrow("503");
  });
});
