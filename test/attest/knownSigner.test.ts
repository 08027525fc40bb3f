import { X509Certificate } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { publicAuthorities } from "../../components/attest/knownSigner";

const environment = () => ({ MIRROR_CACHE: mkdtempSync(join(tmpdir(), "tuf-")) });

describe("the authorities that issue certificates", () => {
  it("are those of the public Sigstore, with the network and without", async () => {
    const certificates = (await publicAuthorities(environment())).map(
      (der) => new X509Certificate(Buffer.from(der, "base64")),
    );
    const names = certificates.map(({ subject }) => subject.replaceAll("\n", ", "));
    expect(names).toContain("O=sigstore.dev, CN=sigstore-intermediate");
    const [intermediate, root] = certificates.filter(({ subject }) => subject.includes("CN=sigstore"));
    expect(root && intermediate).toBeDefined();
  });

  it("are nobody's guess where a private repository cannot be reached", async () => {
    const variables = { ...environment(), TUF_MIRROR: "http://127.0.0.1:1", TUF_ROOT_JSON: "/nonexistent/root.json" };
    await expect(publicAuthorities(variables)).rejects.toThrow(/cannot be told: http:\/\/127\.0\.0\.1:1: /);
  });
});
