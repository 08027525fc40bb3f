import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Digest } from "../../components/model/digest";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Something of everything an image says about how it runs. */
const runsAs = {
  User: "1000:1000",
  WorkingDir: "/srv",
  Entrypoint: ["/bin/bash", "-c"],
  Cmd: ["echo hello"],
  Env: ["PATH=/bin", "LANG=C.UTF-8"],
  ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
  Volumes: { "/data": {} },
  Labels: { "org.example.title": "a <b>label</b>" },
};
const history = [
  { created: "2026-01-01T00:00:00Z", created_by: "ADD rootfs.tar /" },
  { created: "2026-01-02T03:04:05Z", created_by: "USER 1000:1000", empty_layer: true },
];

/**
 * Writes an OCI image layout with tag `1.0.0`: an image for two platforms that looks like a Debian with a few packages,
 * one of which differs per platform (`only-amd64`, `only-arm64`).
 * @returns digests of the index and of the platform manifests.
 */
export async function writeDebianLayout(
  folder: string,
): Promise<{ readonly index: Digest; readonly platforms: Readonly<Record<string, Digest>> }> {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const blob = (content: Buffer | object, type: string): Descriptor => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "blobs/sha256", hex), bytes);
    return { mediaType: `application/vnd.oci.image.${type}`, digest: `sha256:${hex}`, size: bytes.length };
  };
  const manifests = await Promise.all(
    ["amd64", "arm64"].map(async (architecture) => {
      const layer = await rootFileSystem(architecture);
      const diffIds = [`sha256:${createHash("sha256").update(layer).digest("hex")}`];
      const rootfs = { type: "layers", diff_ids: diffIds };
      const about = { os: "linux", architecture, created: "2026-01-02T03:04:05Z", config: runsAs, rootfs, history };
      const config = blob(about, "config.v1+json");
      const layers = [blob(gzipSync(layer), "layer.v1.tar+gzip")];
      const manifest = blob(
        { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers },
        "manifest.v1+json",
      );
      return { ...manifest, platform: { os: "linux", architecture } };
    }),
  );
  const index = blob(
    { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests },
    "index.v1+json",
  );
  const tagged = { ...index, annotations: { "org.opencontainers.image.ref.name": "1.0.0" } };
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [tagged] }));
  const platforms = Object.fromEntries(
    manifests.map(({ platform, digest }) => [`linux/${platform.architecture}`, digest]),
  );
  return { index: index.digest, platforms };
}

async function rootFileSystem(architecture: string): Promise<Buffer> {
  const packages = ["bash", "zlib1g", `only-${architecture}`].map((name) =>
    [
      `Package: ${name}`,
      "Status: install ok installed",
      "Maintainer: Example <nobody@example.org>",
      `Architecture: ${architecture}`,
      "Version: 1.0-1",
      "Description: a package",
      "",
    ].join("\n"),
  );
  const tar = pack();
  tar.entry({ name: "etc/os-release", mtime: new Date(0) }, 'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n');
  tar.entry({ name: "var/lib/dpkg/status", mtime: new Date(0) }, packages.join("\n"));
  tar.finalize();
  return buffer(tar);
}
