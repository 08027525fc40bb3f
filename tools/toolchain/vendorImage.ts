import { placeWhole } from "../../components/system/placeWhole";
import { outputOf } from "../../components/system/process";

/** Whether Docker may be used: unless `MIRROR_SANDBOX_DOCKER` is `off`. */
export function mayUseDocker(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment["MIRROR_SANDBOX_DOCKER"] !== "off";
}

const limitMs = 300_000;

/** Whether programs can be taken from images here: a Docker Engine answers, and this machine runs what is in them. */
export async function imagesServe(): Promise<boolean> {
  if (!mayUseDocker() || process.platform !== "linux") return false;
  return outputOf("docker", ["version", "--format", "{{.Server.Version}}"], { limitMs: 30_000 }).then(
    () => true,
    () => false,
  );
}

/**
 * Copies a program out of an image, which is pulled where it is not there.
 * @param source its path in the image.
 * @throws ProcessError with the engine's words.
 */
export async function copyFromImage(image: string, source: string, target: string): Promise<void> {
  // An image may have no command of its own; this one is never run.
  const made = await outputOf("docker", ["create", "--label", "multiarch-mirror.program", image, source], { limitMs });
  const container = made.trim();
  try {
    await placeWhole(target, (draft) => outputOf("docker", ["cp", `${container}:${source}`, draft], { limitMs }));
  } finally {
    await outputOf("docker", ["rm", "--force", container], { limitMs });
  }
}
