import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Platform, platformSlug } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import { writeWhole } from "../system/placeWhole";
import { formatDigestFile, type HandedOverImage, parseDigestFile } from "./digestFile";
import { ConfigError } from "../config/problems";
import type { Configuration } from "../config/configuration";
import type { HandedOver } from "./digestFile";
import { repositoryOf } from "../model/repository";

/**
 * Writes one file per platform, `digests-<platform>.json`, into a folder, which is made when it is not there. A platform of
 * which nothing was built gets a file as well: it says that the build ran.
 */
export async function writeDigestFiles(
  folder: string,
  platforms: readonly Platform[],
  images: readonly HandedOverImage[],
): Promise<void> {
  for (const platform of platforms) {
    const name = join(folder, `digests-${platformSlug(platform)}.json`);
    await writeWhole(name, formatDigestFile(images.filter((image) => image.platform === platform)));
  }
}

/**
 * Reads every `*.json` below a folder, one level deep at most, as artifacts of build jobs are laid out.
 * @throws ConfigError with a line for every mistake in any of them: the folder cannot be read, a file is malformed, an image is
 *   not of the app's own repository, or two files name different images for the same version and platform.
 */
export async function readDigestFolder(folder: string, repositoryOf: (app: string) => string): Promise<HandedOver> {
  const files = await readAll(folder);
  const problems = files.flatMap((file) => file.problems);
  const handed = new Map<string, Map<string, Map<Platform, string>>>();
  for (const { app, version, platform, repository, digest } of files.flatMap(({ images }) => images)) {
    const where = `${app} ${version} ${platform}`;
    if (repository !== repositoryOf(app)) {
      problems.push(
        `${where}: ${JSON.stringify(repository)} is not the repository of this app; accepted is ${repositoryOf(app)}`,
      );
      continue;
    }
    const platforms = entryOf(entryOf(handed, app), version);
    const reference = `${repository}@${digest}`;
    if ((platforms.get(platform) ?? reference) !== reference)
      problems.push(`${where}: two files name different images; accepted is one of them`);
    platforms.set(platform, reference);
  }
  if (problems.length > 0) throw new ConfigError(`digest files in ${JSON.stringify(folder)}`, problems);
  const versions = (of: ReadonlyMap<string, ReadonlyMap<Platform, string>>): HandedOver[string] =>
    Object.fromEntries([...of].map(([version, platforms]) => [version, Object.fromEntries(platforms)]));
  return Object.fromEntries([...handed].map(([app, of]) => [app, versions(of)]));
}

/** The map under a key, made when it is not there. */
function entryOf<Key, Inner, Value>(map: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  const entry = map.get(key) ?? new Map<Inner, Value>();
  map.set(key, entry);
  return entry;
}

async function readAll(folder: string): Promise<readonly ReturnType<typeof parseDigestFile>[]> {
  try {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json")).toSorted();
    return await Promise.all(
      names.map(async (name) => parseDigestFile(name, await readFile(join(folder, name), "utf8"))),
    );
  } catch (error) {
    throw new ConfigError("environment", [
      `MIRROR_DIGESTS: ${JSON.stringify(folder)} cannot be read: ${reasonOf(error)}; accepted is a folder of digest files`,
    ]);
  }
}

/**
 * The images build runs handed over to this one; none unless it is a publishing run.
 * @throws ConfigError with a line for every mistake in the files.
 */
export async function readHandedOver(config: Configuration): Promise<HandedOver> {
  const { run } = config;
  if (run.phase !== "publish" || run.digests === undefined) return {};
  return readDigestFolder(run.digests, (app) => repositoryOf(config, app));
}
