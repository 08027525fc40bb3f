import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../config/configError";
import { type Platform, platformSlug } from "../plan/platform";
import type { HandedOver } from "../survey/surveyApps";
import { formatDigestFile, type HandedOverImage, parseDigestFile } from "./digestFile";

/**
 * Writes one file per platform, `digests-<platform>.json`, into a folder, which is made when it is not there. A platform of
 * which nothing was built gets a file as well: it says that the build ran.
 */
export async function writeDigestFiles(
  folder: string,
  platforms: readonly Platform[],
  images: readonly HandedOverImage[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const platform of platforms) {
    const name = join(folder, `digests-${platformSlug(platform)}.json`);
    await writeFile(`${name}.tmp`, formatDigestFile(images.filter((image) => image.platform === platform)));
    await rename(`${name}.tmp`, name);
  }
}

/**
 * Reads every `*.json` below a folder, one level deep at most, as artifacts of build jobs are laid out.
 * @throws ConfigError when the folder cannot be read, a file is malformed, an image is not of the app's own repository, or two
 *   files name different images for the same version and platform.
 */
export async function readDigestFolder(folder: string, repositoryOf: (app: string) => string): Promise<HandedOver> {
  const images = await readAll(folder);
  const problems: string[] = [];
  const handed: Record<string, Record<string, Record<Platform, string>>> = {};
  for (const { app, version, platform, repository, digest } of images) {
    const where = `${app} ${version} ${platform}`;
    if (repository !== repositoryOf(app)) {
      problems.push(
        `${where}: ${JSON.stringify(repository)} is not the repository of this app; accepted is ${repositoryOf(app)}`,
      );
      continue;
    }
    const platforms = ((handed[app] ??= {})[version] ??= {});
    const reference = `${repository}@${digest}`;
    if ((platforms[platform] ?? reference) !== reference) problems.push(`${where}: two files name different images`);
    platforms[platform] = reference;
  }
  if (problems.length > 0) throw new ConfigError(`digest files in ${JSON.stringify(folder)}`, problems);
  return handed;
}

async function readAll(folder: string): Promise<readonly HandedOverImage[]> {
  try {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json")).toSorted();
    const files = await Promise.all(
      names.map(async (name) => parseDigestFile(name, await readFile(join(folder, name), "utf8"))),
    );
    return files.flat();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("environment", [
      `MIRROR_DIGESTS: ${JSON.stringify(folder)} cannot be read: ${(error as Error).message}`,
    ]);
  }
}
