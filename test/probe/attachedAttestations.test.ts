import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attestConfigSchema, wantedAttestations } from "../../components/config/attestConfig";
import { RegistryClient } from "../../components/registry/registryClient";
import { AttestedRegistry } from "../attest/attestedRegistry";
import { describeMissing } from "../../components/decide/attestationMode";
import type { Digest } from "../../components/model/digest";
import { sbomName } from "../../components/model/sbom";
import type { ExpectedSigner } from "../../components/model/signer";
import { type IndexManifest, type Manifest, parseManifest } from "../../components/registry/manifest";
import { bundleManifest } from "../../components/attest/bundleManifest";
import { exampleSigner, testAuthority, testCertificate, testKey } from "../attest/bundles";
import {
  type AttestationReader,
  attachedLists,
  listAttestations,
  missingAttestations,
} from "../../components/probe/attachedAttestations";

const expected: ExpectedSigner = {
  subject: { exactly: [exampleSigner.subject] },
  issuer: { matching: "^https://token\\.actions\\.githubusercontent\\.com$" },
  repository: "example/mirror",
  refs: ["refs/heads/main"],
};
const wanted = wantedAttestations(attestConfigSchema.parse("keyless"), { built: true, recorded: true });

describe.each([
  ["with the referrers API", true],
  ["without it", false],
])("what a version lacks, read from a registry %s", (_, api) => {
  let registry: AttestedRegistry;
  let client: RegistryClient;

  beforeEach(async () => {
    registry = await new AttestedRegistry(api).start();
    client = new RegistryClient({ environment: {}, retryBudgetMs: 1 });
  });
  afterEach(async () => {
    await client.close();
    await registry.stop();
  });

  const missing = async (kinds = wanted): Promise<readonly string[]> => {
    const version = { indexDigest: registry.index, platformDigests: registry.platforms };
    const lists = await attachedLists(client, registry.repository, version, signer());
    return missingAttestations(registry.repository, version, kinds, lists).map(describeMissing);
  };
  const signer = (): ExpectedSigner => (registry.signer.certificate ? expected : { publicKey: registry.publicKey });
  const attachSbom = (to: Digest, platform: keyof AttestedRegistry["platforms"]): Digest => {
    const name = sbomName({ repository: registry.repository, digest: registry.platforms[platform], platform });
    return registry.attach(to, "sbom", { predicate: JSON.stringify({ name }) });
  };
  const complete = (): void => {
    for (const kind of ["signature", "provenance", "mirror"] as const) registry.attach(registry.index, kind);
    for (const platform of ["linux/amd64", "linux/arm64"] as const) {
      attachSbom(registry.index, platform);
      registry.attach(registry.platforms[platform], "signature");
      attachSbom(registry.platforms[platform], platform);
    }
  };

  it("is everything when nothing is attached", async () => {
    expect(await missing()).toEqual([
      "unsigned",
      "no SBOM on the index",
      "no provenance",
      "no mirror record",
      "unsigned linux/amd64",
      "no SBOM linux/amd64",
      "unsigned linux/arm64",
      "no SBOM linux/arm64",
    ]);
  });

  it("is nothing when all is there, and finding that out writes nothing", async () => {
    complete();
    expect(await missing()).toEqual([]);
    expect(registry.requests.filter((request) => !/^(GET|HEAD) /.test(request))).toEqual([]);
  });

  it("is what was deleted, and that only", async () => {
    complete();
    const [signature] = registry.attached(registry.index);
    registry.remove(registry.index, signature?.digest ?? registry.index);
    const sbom = registry.attached(registry.platforms["linux/arm64"]).find(({ kind }) => kind === "sbom");
    registry.remove(registry.platforms["linux/arm64"], sbom?.digest ?? registry.index);
    expect(await missing()).toEqual(["unsigned", "no SBOM linux/arm64"]);
  });

  it("is an SBOM of each platform on the index, and two of one are not both", async () => {
    complete();
    const sbom = registry.attached(registry.index).find(({ kind }) => kind === "sbom");
    registry.remove(registry.index, sbom?.digest ?? registry.index);
    expect(await missing()).toEqual(["no SBOM on the index"]);
    attachSbom(registry.index, "linux/arm64");
    expect(await missing()).toEqual(["no SBOM on the index"]);
    attachSbom(registry.index, "linux/amd64");
    expect(await missing()).toEqual([]);
  });

  it("is the SBOM of an image that carries another's under our signature, until it carries its own as well", async () => {
    complete();
    const amd64 = registry.platforms["linux/amd64"];
    registry.remove(amd64, registry.attached(amd64).find(({ kind }) => kind === "sbom")?.digest ?? amd64);
    attachSbom(amd64, "linux/arm64");
    expect(await missing()).toEqual(["SBOM of another image linux/amd64"]);
    attachSbom(amd64, "linux/amd64");
    expect(await missing()).toEqual([]);
  });

  it("takes no notice of what other tools attach", async () => {
    const entry = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: registry.platforms["linux/amd64"],
      size: 1,
    };
    registry.list(registry.index, { ...entry, artifactType: "application/vnd.example.report" });
    registry.list(registry.index, entry);
    expect(await missing()).toContain("unsigned");
    complete();
    expect(await missing()).toEqual([]);
  });

  it("does not read an attestation as a signature, although cosign verify would", async () => {
    registry.attach(registry.index, "mirror");
    expect(await missing()).toContain("unsigned");
  });

  it.each([500, 503, 401, 403])("is not known when the registry answers %i: that is never missing", async (status) => {
    complete();
    registry.outage = status;
    await expect(missing()).rejects.toThrow(registry.repository.split("/")[0] ?? "");
  });

  it("is nothing when signing is off", async () => {
    const off = wantedAttestations(attestConfigSchema.parse("off"), { built: true, recorded: true });
    expect(await missing(off)).toEqual([]);
  });

  it("costs one request per digest, and two for each bundle", async () => {
    complete();
    await missing();
    const asked = (path: RegExp): number => registry.requests.filter((request) => path.test(request)).length;
    expect([asked(/referrers/), asked(/manifests\/sha256:/), asked(/blobs/)]).toEqual([3, 9, 9]);
  });

  it.each([
    ["another key", async () => void (registry.signer = testKey())],
    ["a certificate, where a key is expected", async () => void (registry.signer = await testCertificate())],
  ])("is everything when it was signed with %s", async (_, sign) => {
    await sign();
    complete();
    const version = { indexDigest: registry.index, platformDigests: registry.platforms };
    const signer = { publicKey: registry.publicKey };
    const lists = await attachedLists(client, registry.repository, version, signer);
    expect(missingAttestations(registry.repository, version, wanted, lists)).toHaveLength(8);
  });

  it("is nothing when the workflow that is expected signed it, for the repository and at the ref expected", async () => {
    registry.signer = await testCertificate();
    complete();
    expect(await missing()).toEqual([]);
  });

  it.each([
    ["another workflow", { subject: exampleSigner.subject.replace("mirror.yml", "other.yml") }],
    ["the workflow at another branch", { subject: exampleSigner.subject.replace("main", "side") }],
    ["another issuer's token", { issuer: "https://token.actions.githubusercontent.com.example.org" }],
    ["another repository", { repository: "example/stranger" }],
    ["another ref", { ref: "refs/pull/1/merge" }],
  ])("is everything when %s signed it, and stays so until it is mended", async (_, change) => {
    registry.signer = await testCertificate({ ...exampleSigner, ...change });
    complete();
    expect(await missing()).toHaveLength(8);
    registry.signer = await testCertificate();
    registry.attach(registry.index, "signature");
    expect(await missing()).not.toContain("unsigned");
    expect(await missing()).toHaveLength(7);
  });

  it("is everything when the certificate reads well and no trusted authority has issued it", async () => {
    const [ours, theirs] = [await testAuthority(), await testAuthority()];
    const authorities = [Buffer.from(ours.certificate.rawData).toString("base64")];
    const version = { indexDigest: registry.index, platformDigests: registry.platforms };
    const lacking = async () =>
      missingAttestations(
        registry.repository,
        version,
        wanted,
        await attachedLists(client, registry.repository, version, { ...expected, authorities }),
      );
    for (const authority of [undefined, theirs]) {
      registry.signer = await testCertificate(exampleSigner, authority);
      complete();
    }
    expect(await lacking()).toHaveLength(8);
    registry.signer = await testCertificate(exampleSigner, ours);
    complete();
    expect(await lacking()).toEqual([]);
  });

  it("is what was signed about another image and copied here", async () => {
    const { manifests } = (await client.manifest(`${registry.repository}@${registry.index}`)) as IndexManifest;
    complete();
    const [amd64, arm64] = manifests.map(({ digest }) => digest);
    registry.copy(arm64!, "signature", amd64!);
    registry.remove(amd64!, registry.attached(amd64!).find(({ kind }) => kind === "signature")!.digest);
    registry.copy(arm64!, "signature", amd64!);
    expect(await missing()).toEqual(["unsigned linux/amd64"]);
  });

  it.each([
    ["without a type", undefined],
    ["as artifacts without a type of their own", "application/vnd.oci.empty.v1+json"],
  ])("is found in lists that name bundles %s", async (_, artifactType) => {
    registry.listedType = artifactType;
    complete();
    expect(await missing()).toEqual([]);
  });

  it("takes no notice of what others attached that is no manifest anybody reads here", async () => {
    complete();
    for (const manifest of unreadable) registry.attachManifest(registry.index, manifest);
    expect(await missing()).toEqual([]);
  });

  it("is what has lost its content, or is no bundle at all", async () => {
    complete();
    registry.removeBlob(registry.attached(registry.index).find(({ kind }) => kind === "provenance")!.digest);
    registry.attachText(registry.platforms["linux/arm64"], "signature", "{}");
    registry.remove(
      registry.platforms["linux/arm64"],
      registry.attached(registry.platforms["linux/arm64"]).find(({ kind }) => kind === "signature")!.digest,
    );
    expect(await missing()).toEqual(["no provenance", "unsigned linux/arm64"]);
  });
});

/** By which stranger's manifests are there, and can be read as no image and no index. */
const unreadable = [
  { mediaType: "application/vnd.oci.artifact.manifest.v1+json", blobs: [] },
  { mediaType: "application/vnd.oci.image.manifest.v1+json", config: null },
];

describe("bundles of others, however large,", () => {
  const subject: Digest = `sha256:${"5".repeat(64)}`;
  const bundle = Buffer.from(JSON.stringify({ mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" }));
  const read = (count: number, blob: () => Promise<Readable>, size = bundle.length) => {
    const { manifest } = bundleManifest(imageOf(subject), "signature", bundle, new Date(0));
    if (manifest.kind !== "image") throw new Error("a bundle's manifest is an image's");
    const attached = { ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, size })) };
    const reader: AttestationReader = {
      referrers: () => Promise.resolve(Array.from({ length: count }, () => manifest)),
      manifest: () => Promise.resolve(attached),
      blob,
      probe: () => Promise.reject(new Error("nothing is probed")),
    };
    return listAttestations(reader, "r/a", subject, { publicKey: testKey().publicKey });
  };

  it("are not in memory all at once, however many lists are read", async () => {
    const size = 15 * 1024 * 1024;
    let [open, most] = [0, 0];
    const blob = async (): Promise<Readable> => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open--;
      return Readable.from([bundle]);
    };
    const lists = await Promise.all([read(20, blob, size), read(20, blob, size)]);
    expect(lists.map(({ bundles }) => bundles.length)).toEqual([20, 20]);
    expect(most * size).toBeLessThanOrEqual(64 * 1024 * 1024);
  });

  it("are read no further than their manifests say", async () => {
    let pulled = 0;
    const longer = function* (): Generator<Buffer> {
      for (; pulled < 100; pulled++) yield bundle;
    };
    const { bundles } = await read(1, () => Promise.resolve(Readable.from(longer(), { highWaterMark: 1 })));
    expect(bundles).toMatchObject([{ kind: "signature", problem: "it is longer than its manifest says" }]);
    expect(pulled).toBeLessThan(10);
  });
});

/** An image without content. */
function imageOf(digest: Digest): Manifest {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 1 };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  return parseManifest("an image", bytes, { contentType: undefined, contentDigest: undefined, expected: undefined });
}

describe("what is wanted", () => {
  it("has no provenance for a version whose build nobody saw", () => {
    const kinds = wantedAttestations(attestConfigSchema.parse("keyless"), { built: false, recorded: false });
    expect(kinds).toEqual({ index: ["signature", "sbom"], platform: ["signature", "sbom"] });
  });

  it("leaves SBOM and provenance out when they are switched off", () => {
    const config = attestConfigSchema.parse({ sbom: false, provenance: false });
    expect(wantedAttestations(config, { built: true, recorded: true })).toEqual({
      index: ["signature", "mirror"],
      platform: ["signature"],
    });
  });
});
