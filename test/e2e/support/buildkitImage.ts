import { readFile, writeFile } from "node:fs/promises";
import { ensureTools } from "../../../tools/toolchain/ensureTools";
import { debianLayer } from "../upstream/debianLayer";
import { archive, digest, layerOf } from "../upstream/layer";

/** The image buildx starts a builder of driver `docker-container` from, when it is told no other. */
export const buildkitImage = "moby/buildkit:buildx-stable-1";

/**
 * Writes an image of the toolchain's BuildKit for `docker load`, as BuildKit's own is laid out: the daemon, its client, runc, git
 * and an emulator under the name BuildKit looks for.
 */
export async function writeBuildkitImage(file: string): Promise<void> {
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const { programs } = await ensureTools(["buildkitd", "buildctl", "qemu-aarch64-static"]);
  const program = async (name: "buildkitd" | "buildctl" | "qemu-aarch64-static", as: string = name) => ({
    name: `usr/bin/${as}`,
    mode: 0o755,
    body: await readFile(programs.get(name) ?? name),
  });
  const layers = [
    await debianLayer(`linux/${architecture}`, ["git", "runc", "ca-certificates", "dash", "sed", "coreutils", "grep"]),
    await layerOf([
      await program("buildkitd"),
      await program("buildctl"),
      await program("qemu-aarch64-static", "buildkit-qemu-aarch64"),
    ]),
  ];
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      config: { Entrypoint: ["buildkitd"], Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  );
  const manifest = [
    {
      Config: `${digest(config).slice("sha256:".length)}.json`,
      RepoTags: [buildkitImage],
      Layers: layers.map((_, index) => `${index}.tar.gz`),
    },
  ];
  await writeFile(
    file,
    await archive([
      { name: manifest[0]?.Config ?? "", body: config },
      ...layers.map(({ bytes }, index) => ({ name: `${index}.tar.gz`, body: bytes })),
      { name: "manifest.json", body: JSON.stringify(manifest) },
    ]),
  );
}
