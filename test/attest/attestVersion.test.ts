import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attestVersion } from "../../components/attest/attestVersion";
import type { WriteResult } from "../../components/attest/attestationWriter";
import { attestConfigSchema } from "../../components/config/attestConfig";
import { RegistryClient } from "../../components/registry/registryClient";
import { AttestedRegistry } from "./attestedRegistry";

const overtaken: WriteResult = { failures: [], overtaken: true, pending: [] };
const refused: WriteResult = { failures: [new Error("503")], overtaken: false, pending: [] };

let registry: AttestedRegistry;
let reader: RegistryClient;

beforeEach(async () => {
  registry = await new AttestedRegistry(true).start();
  reader = new RegistryClient({ environment: { HOME: "/nonexistent" } });
});
afterEach(async () => {
  await reader.close();
  await registry.stop();
});

/** Attests a version that is signed once writing has gone as told, and no sooner. */
async function attest(writes: readonly WriteResult[], deadline: AbortSignal = new AbortController().signal) {
  const left = [...writes];
  const pauses: number[] = [];
  const plan = {
    repository: registry.repository,
    indexDigest: registry.index,
    config: attestConfigSchema.parse({ signing: { mode: "key", key: "k" }, sbom: false, provenance: false }),
    ...{ version: "1.0.0", tag: "1.0.0", labels: {}, known: Object.values(registry.platforms), sealed: [], sboms: {} },
    startedOn: "2026-01-01T00:00:00Z",
    limits: { cosignSeconds: 1, totalSeconds: 1 },
  };
  const summary = await attestVersion(
    plan,
    { platforms: registry.platforms },
    {
      reader,
      signer: { publicKey: registry.publicKey },
      cosign: {
        verified: () => Promise.resolve({ signature: 1, sbom: 0, provenance: 0, mirror: 0 }),
        statements: () => Promise.resolve([]),
        refusal: () => undefined,
      },
      writer: {
        write: ({ absent }) => {
          const next = left.shift();
          if (!next) for (const { digest, kind } of absent) registry.attach(digest, kind);
          return Promise.resolve(next ?? { failures: [], overtaken: false, pending: [] });
        },
      },
      cannotSign: () => undefined,
      sleep: (milliseconds) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
      deadline,
    },
  );
  return { summary, pauses };
}

describe("attesting a version that other processes attest too", () => {
  it("is no failed try when one of them was faster, however often", async () => {
    const { summary, pauses } = await attest(Array.from({ length: 9 }, () => overtaken));
    expect(summary.added).toContain("unsigned");
    expect(pauses).toHaveLength(9);
  });

  it("counts a try in which something failed besides", async () => {
    const both = { ...refused, overtaken: true };
    await expect(attest([both, overtaken, both, both])).rejects.toThrow("after 3 tries: 503");
    await expect(attest([refused, overtaken, refused])).resolves.toHaveProperty("summary.digest", registry.index);
  });

  it("ends when time is up, without a try having failed", async () => {
    await expect(attest([overtaken], AbortSignal.abort())).rejects.toThrow(
      "and time is up: what was written was lost to another writer",
    );
  });
});
