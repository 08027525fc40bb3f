import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { MirrorUnderTest } from "../support/mirrorUnderTest";

const run = promisify(execFile);

/** What is attached to an image, by digest, sorted, as regctl finds it. @param image `localhost:5000/mirror/app@sha256:…` */
export async function attachedTo(mirror: MirrorUnderTest, image: string): Promise<readonly string[]> {
  const format = "{{range .Descriptors}}{{println .Digest}}{{end}}";
  const listed = await mirror.registry.regctl("artifact", "list", "--format", format, image);
  return listed.split("\n").filter(Boolean).toSorted();
}

/** Attaches a text to an image, as upstream's release workflow might. @returns its digest. */
export async function attachText(
  mirror: MirrorUnderTest,
  image: string,
  artifactType: string,
  content: string,
): Promise<string> {
  return inFolder(async (folder) => {
    const before = await attachedTo(mirror, image);
    const file = join(folder, "content");
    await writeFile(file, content);
    await mirror.registry.regctl(
      "artifact",
      "put",
      "--artifact-type",
      artifactType,
      "--file",
      file,
      "--subject",
      image,
    );
    const added = (await attachedTo(mirror, image)).filter((digest) => !before.includes(digest));
    if (added.length !== 1) throw new Error(`${image} has ${added.length} new referrers, expected is one`);
    return added[0] ?? "";
  });
}

/** Signs an image with the sandbox's key, as its owner does with cosign. */
export async function signImage(mirror: MirrorUnderTest, image: string): Promise<void> {
  await inFolder(async (folder) => {
    const config = join(folder, "signing-config.json");
    const env = mirror.environment({ COSIGN_PASSWORD: "" });
    const key = mirror.sandbox.env["MIRROR_SANDBOX_COSIGN_KEY"] ?? "";
    await run("cosign", ["signing-config", "create", "--out", config], { env });
    await run("cosign", ["sign", "--yes", "--key", key, "--signing-config", config, image], { env });
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "attached-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
