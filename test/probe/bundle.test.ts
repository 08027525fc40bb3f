import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import { type ReadBundle, readBundle } from "../../components/probe/bundle";
import { exampleSigner, testBundle, testCertificate, testKey } from "../attest/bundles";

const about: Digest = `sha256:${"1".repeat(64)}`;
const expected = { subject: { exactly: [exampleSigner.subject] }, issuer: { exactly: [exampleSigner.issuer] } };

/** What the changes below touch. */
interface Bundle {
  readonly verificationMaterial: { certificate?: { rawBytes: string }; tlogEntries?: object[] };
  dsseEnvelope?: { payload: string; payloadType: string; signatures: object[] };
}

/** Reads a bundle after a change to it. */
async function read(change: (bundle: Bundle) => unknown = () => undefined): Promise<ReadBundle> {
  const bundle = testBundle(about, "mirror", await testCertificate(), { version: "1" });
  change(bundle as unknown as Bundle);
  return readBundle(Buffer.from(JSON.stringify(bundle)), about, expected);
}

describe("a bundle", () => {
  it("tells its statement, its signer, when it was signed and where it is in a log", async () => {
    const entries = [{ integratedTime: "1767225600" }, { logIndex: "41" }];
    const { statement } = await read(({ verificationMaterial }) => (verificationMaterial.tlogEntries = entries));
    expect(statement).toMatchObject({
      predicate: { version: "1" },
      certificate: exampleSigner,
      logIndexes: ["0", "41"],
    });
    expect(statement?.signedAt).toEqual(new Date("2026-01-01T00:00:00Z"));
  });

  it("without a time in a log was signed when its certificate began to hold", async () => {
    expect((await read()).statement?.signedAt).toEqual(new Date("2026-01-01T00:00:00Z"));
  });

  it.each<[string, (bundle: Bundle) => unknown, string]>([
    [
      "its statement was changed",
      ({ dsseEnvelope }) => (dsseEnvelope!.payload = "e30="),
      "not by its certificate's key",
    ],
    [
      "its payload is called something else",
      ({ dsseEnvelope }) => (dsseEnvelope!.payloadType = "x"),
      "not by its certificate's key",
    ],
    [
      "its certificate is none",
      ({ verificationMaterial }) => (verificationMaterial.certificate!.rawBytes = "QQ=="),
      "cannot be read",
    ],
    ["it has no signature", ({ dsseEnvelope }) => (dsseEnvelope!.signatures = []), "cannot be read"],
    ["it has no envelope", (bundle) => delete bundle.dsseEnvelope, "cannot be read"],
    ["a key signed it", ({ verificationMaterial }) => delete verificationMaterial.certificate, "signed by a key"],
  ])("counts for nothing when %s", async (_, change, problem) => {
    expect((await read(change)).problem).toContain(problem);
  });

  it("counts for nothing when it is about something else, or no JSON", async () => {
    const bundle = testBundle(`sha256:${"2".repeat(64)}`, "mirror", await testCertificate());
    expect(readBundle(Buffer.from(JSON.stringify(bundle)), about, expected).problem).toBe("it is about something else");
    expect(readBundle(Buffer.from("<html>"), about, expected).problem).toContain("cannot be read");
  });

  it("of a key is checked by it, and where only a service has that, any key's will do", () => {
    const [own, other] = [testKey(), testKey()];
    const bytes = Buffer.from(JSON.stringify(testBundle(about, "signature", own)));
    expect(readBundle(bytes, about, { publicKey: own.publicKey }).problem).toBeUndefined();
    expect(readBundle(bytes, about, { publicKey: other.publicKey }).problem).toBe(
      "it is not signed by the expected key",
    );
    expect(readBundle(bytes, about, { publicKey: "no key" }).problem).toContain("cannot be read");
  });
});
