import { fateOf, processIdentity } from "../../components/system/lock";
import { placeWhole } from "../../components/system/placeWhole";
import { outputOf } from "../../components/system/process";

/** Whether Docker may be used: unless `MIRROR_SANDBOX_DOCKER` is `off`. */
export function mayUseDocker(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment["MIRROR_SANDBOX_DOCKER"] !== "off";
}

const limitMs = 300_000;

/** Of containers that are there to be copied from, and never started; its value is the process that copies. */
const label = "multiarch-mirror.program";

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
  await removeStale();
  // An image may have no command of its own; this one is never run.
  const owner = `${label}=${processIdentity(process.pid)}`;
  const made = await outputOf("docker", ["create", "--label", owner, image, source], { limitMs });
  const container = made.trim();
  try {
    await placeWhole(target, (draft) => outputOf("docker", ["cp", `${container}:${source}`, draft], { limitMs }));
  } finally {
    await outputOf("docker", ["rm", "--force", container], { limitMs });
  }
}

/** Removes what processes that were killed in the middle have left. */
async function removeStale(): Promise<void> {
  const format = `{{.ID}} {{.Label "${label}"}}`;
  const list = await outputOf("docker", ["ps", "--all", "--filter", `label=${label}`, "--format", format], { limitMs });
  for (const [id = "", owner = ""] of list.split("\n").map((line) => line.split(" ")))
    if (id !== "" && fateOf(owner) === "dead") await outputOf("docker", ["rm", "--force", id], { limitMs });
}
