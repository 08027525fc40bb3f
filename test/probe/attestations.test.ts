import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attestConfigSchema, wantedAttestations } from "../../components/config/attestConfig";
import { RegistryClient } from "../../components/registry/registryClient";
import { AttestedRegistry } from "../attest/attestedRegistry";
import { describeMissing } from "../../components/decide/attestations";
import { attestationStatus } from "../../components/probe/attestations";

const wanted = wantedAttestations(attestConfigSchema.parse("keyless"), { buildKnown: true });

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
    return (await attestationStatus(client, registry.repository, version, kinds)).map(describeMissing);
  };
  const complete = (): void => {
    for (const kind of ["signature", "sbom", "sbom", "provenance", "mirror"] as const)
      registry.attach(registry.index, kind);
    for (const digest of Object.values(registry.platforms)) {
      registry.attach(digest, "signature");
      registry.attach(digest, "sbom");
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

  it("counts one SBOM per platform on the index", async () => {
    complete();
    const sbom = registry.attached(registry.index).find(({ kind }) => kind === "sbom");
    registry.remove(registry.index, sbom?.digest ?? registry.index);
    expect(await missing()).toEqual(["no SBOM on the index"]);
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

  it("asks nothing of the registry when signing is off", async () => {
    const off = wantedAttestations(attestConfigSchema.parse("off"), { buildKnown: true });
    expect(await missing(off)).toEqual([]);
    expect(registry.requests).toEqual([]);
  });

  it("costs one request per digest with the API, and without it one more per entry", async () => {
    complete();
    await missing();
    const manifests = registry.requests.filter((request) => /manifests\/sha256:/.test(request)).length;
    expect(manifests).toBe(api ? 0 : 9);
    expect(registry.requests.filter((request) => /referrers/.test(request))).toHaveLength(3);
  });
});

describe("what is wanted", () => {
  it("has no provenance for a version whose build nobody saw", () => {
    const kinds = wantedAttestations(attestConfigSchema.parse("keyless"), { buildKnown: false });
    expect(kinds).toEqual({ index: ["signature", "sbom"], platform: ["signature", "sbom"] });
  });

  it("leaves SBOM and provenance out when they are switched off", () => {
    const config = attestConfigSchema.parse({ sbom: false, provenance: false });
    expect(wantedAttestations(config, { buildKnown: true })).toEqual({ index: ["signature"], platform: ["signature"] });
  });
});
