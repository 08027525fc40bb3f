import { readFile } from "node:fs/promises";
import { ensureTools } from "../../../tools/toolchain/ensureTools";
import { debianLayer } from "../upstream/debianLayer";
import { layerOf, type Layer } from "../upstream/layer";
import { engineArchitecture, writeEngineImage } from "./engineImage";

/** The image buildx starts a builder of driver `docker-container` from, when it is told no other. */
export const buildkitImage = "moby/buildkit:buildx-stable-1";

/**
 * Writes an image of the toolchain's BuildKit for `docker load`, as BuildKit's own is laid out: the daemon, its client, runc, git
 * and an emulator under the name BuildKit looks for.
 */
export async function writeBuildkitImage(
  file: string,
  reference = buildkitImage,
  further: readonly Layer[] = [],
): Promise<void> {
  const { programs } = await ensureTools(["buildkitd", "buildctl", "qemu-aarch64-static"]);
  const program = async (name: "buildkitd" | "buildctl" | "qemu-aarch64-static", as: string = name) => ({
    name: `usr/bin/${as}`,
    mode: 0o755,
    body: await readFile(programs.get(name) ?? name),
  });
  const layers = [
    await debianLayer(`linux/${engineArchitecture}`, [
      "git",
      "runc",
      "ca-certificates",
      "dash",
      "sed",
      "coreutils",
      "grep",
    ]),
    await layerOf([
      await program("buildkitd"),
      await program("buildctl"),
      await program("qemu-aarch64-static", "buildkit-qemu-aarch64"),
    ]),
    ...further,
  ];
  const env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
  await writeEngineImage(file, reference, { layers, config: { Entrypoint: ["buildkitd"], Env: env } });
}
