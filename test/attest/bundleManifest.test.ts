import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { bundleManifest } from "../../components/attest/bundleManifest";
import { parseManifest } from "../../components/registry/manifest";

const indexType = "application/vnd.oci.image.index.v1+json";
const headers = { contentType: indexType, contentDigest: undefined, expected: undefined };
const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] }));
const subject = parseManifest("an index", bytes, headers);
const bundle = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope":{}}');
const hash = createHash("sha256").update(bundle).digest("hex");

describe("the manifest of a bundle", () => {
  it("is what cosign 3.1.3 writes, to the byte", () => {
    const { manifest, blob } = bundleManifest(subject, "signature", bundle, new Date("2026-11-26T17:43:23.987Z"));
    expect(manifest.bytes.toString()).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' +
        '"config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,' +
        '"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",' +
        '"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"},' +
        '"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",' +
        `"size":${bundle.length},"digest":"sha256:${hash}"}],` +
        '"annotations":{"dev.sigstore.bundle.content":"dsse-envelope",' +
        '"dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1",' +
        '"org.opencontainers.image.created":"2026-11-26T17:43:23Z"},' +
        `"subject":{"mediaType":"${indexType}","size":${bytes.length},"digest":"${subject.digest}"},` +
        '"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
    );
    expect(blob).toEqual({ digest: `sha256:${hash}`, content: bundle });
  });

  it.each(["", "null", '{"mediaType":"application/json"}', "{}"])(
    "is not written for %j, which is no bundle",
    (text) => {
      expect(() => bundleManifest(subject, "signature", Buffer.from(text), new Date())).toThrow(
        "accepted is a Sigstore bundle",
      );
    },
  );
});
