import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Configuration } from "../config/configuration";
import { check, ConfigError } from "../config/problems";
import type { BuildRecord, RecordedImage } from "../model/buildRecord";
import type { Platform } from "../model/platform";
import { hasCode, reasonOf } from "../model/reasonOf";
import { repositoryOf } from "../model/reference";
import { longestSbom, type SbomSubject, sbomProblem, sbomSchema } from "../model/sbom";
import { cacheDirectory } from "../system/cacheDirectory";
import { writeWhole } from "../system/placeWhole";
import { formatRecord, type HandedOver, parseRecord, recordPath, type RecordSubject, sbomName } from "./recordFile";

/** What was found in a folder of build records. */
export interface RecordsRead {
  readonly images: HandedOver;
  /** A line for every mistake in a record that is refused. The others count. */
  readonly refused: readonly string[];
}

/**
 * Writes a record, and the SBOM beside it first: a record that is there is whole. Both are written aside and renamed.
 * @param sbom content of the SPDX document, where there is one.
 * @returns the record with the SBOM in it, as it can be read back.
 */
export async function writeRecord(folder: string, record: BuildRecord, sbom?: Buffer): Promise<RecordedImage> {
  const path = join(folder, recordPath(record));
  if (sbom === undefined) {
    await writeWhole(path, formatRecord(record));
    return { record };
  }
  const file = sbomName(record);
  const beside = join(dirname(path), file);
  const whole = { ...record, sbom: { file, sha256: checksum(sbom) } };
  await writeWhole(beside, sbom);
  await writeWhole(path, formatRecord(whole));
  return { record: whole, sbom: beside };
}

/**
 * The record that is kept of an image, where there is one of the same digest: it says when and by which run it was really
 * built, which a later run that finds the image built already does not know.
 */
export async function keptRecord(folder: string, record: BuildRecord): Promise<RecordedImage | undefined> {
  const name = recordPath(record);
  const read = await readRecord(folder, name, () => record.image.repository).catch(() => undefined);
  const known = read && "image" in read ? read.image : undefined;
  const same =
    known?.record.image.digest === record.image.digest &&
    known.record.origin === record.origin &&
    known.record.tag === record.tag;
  return same ? known : undefined;
}

/**
 * Reads every record below a folder, however deep, as artifacts of build jobs are laid out. A record that is malformed, in the
 * wrong place, of another repository or without the SBOM of its very image is refused, and so are two that name different images for the same
 * platform of a version; all others count.
 * @throws ConfigError when the folder cannot be read.
 */
export async function readRecords(folder: string, ownRepository: (app: string) => string): Promise<RecordsRead> {
  const read = await Promise.all((await recordNames(folder)).map((name) => readRecord(folder, name, ownRepository)));
  const refused = read.flatMap((file) => ("problems" in file ? file.problems : []));
  const images = read.flatMap((file) => ("image" in file ? [file.image] : []));
  const differing = images.filter(({ record }) =>
    images.some((other) => isSame(record, other.record) && other.record.image.digest !== record.image.digest),
  );
  const kept = images.filter((image) => !differing.includes(image));
  return {
    images: byVersion(kept),
    refused: [
      ...refused,
      ...new Set(
        differing.map(
          ({ record: { app, version, platform } }) =>
            `${app} ${version} ${platform}: two build records name different images; accepted is one of them`,
        ),
      ),
    ],
  };
}

/** Where records stay from run to run. */
export function recordFolder({ run, registry, namespace }: Configuration): string {
  return run.records ?? join(cacheDirectory(), "records", registry, namespace);
}

/** What may be used instead of being built. */
export interface RecordsAtHand extends RecordsRead {
  /** Of them, those that build runs handed over to this one. */
  readonly handedOver: HandedOver;
}

/**
 * The images this run need not build: those handed over to it, if it publishes, and those of earlier runs whose version got
 * no tag, as its signing failed. The latter count while the project is at the commit they were built at, which says how the app is built;
 * one that is of no use any more is nobody's mistake, and is built again.
 * @param project the project's own commit, asked only when there is such a record; undefined when nobody can tell.
 * @throws ConfigError when the folder of what was handed over cannot be read.
 */
export async function recordsAtHand(
  config: Configuration,
  project: () => BuildRecord["project"],
): Promise<RecordsAtHand> {
  const { run } = config;
  const repository = (app: string): string => repositoryOf(config, app);
  const handed =
    run.phase === "publish" && run.digests !== undefined
      ? await readRecords(run.digests, repository)
      : { images: {}, refused: [] };
  const kept = imagesIn((await readRecords(recordFolder(config), repository).catch(() => undefined))?.images ?? {});
  const commit = kept.length > 0 ? project()?.commit : undefined;
  const usable = kept.filter(({ record }) => commit !== undefined && record.project?.commit === commit);
  return {
    images: byVersion([...usable, ...imagesIn(handed.images)]),
    refused: handed.refused,
    handedOver: handed.images,
  };
}

/**
 * Leaves in a folder the records a later run will need, and no others.
 * @param images handed over to this run.
 * @param isOpen whether an app's version still waits for its tag; undefined: this run does not know.
 */
export async function keepOpenRecords(
  folder: string,
  images: HandedOver,
  isOpen: (app: string, version: string) => boolean | undefined,
): Promise<void> {
  for (const { record, sbom } of imagesIn(images))
    if (isOpen(record.app, record.version))
      await writeRecord(folder, record, sbom === undefined ? undefined : await readFile(sbom));
  for (const name of await recordNames(folder).catch(() => [])) {
    const [app = "", file = ""] = name.split("/").slice(-2);
    const version = file.replace(/\.json$/, "");
    if (isOpen(app, version) !== false) continue;
    for (const done of [file, sbomName({ version })]) await rm(join(folder, dirname(name), done), { force: true });
  }
}

type ReadFile = { readonly image: RecordedImage } | { readonly problems: readonly string[] };

async function readRecord(folder: string, name: string, ownRepository: (app: string) => string): Promise<ReadFile> {
  let content: string;
  try {
    content = (await readWithin(join(folder, name), longestRecord)).toString("utf8");
  } catch (error) {
    return { problems: [`build record ${JSON.stringify(name)} cannot be read: ${reasonOf(error)}`] };
  }
  const parsed = parseRecord(name, content, ownRepository);
  if (parsed.problems) return parsed;
  const { record } = parsed;
  if (record.sbom === undefined) return { image: { record } };
  const sbom = join(folder, dirname(name), record.sbom.file);
  const problem = await sbomFault(sbom, record.sbom.sha256, { ...record.image, platform: record.platform });
  if (problem === undefined) return { image: { record, sbom } };
  return {
    problems: [`build record ${JSON.stringify(name)}: the SBOM ${JSON.stringify(record.sbom.file)} ${problem}`],
  };
}

/** Why the file beside a record is not the SBOM of its image; undefined: it is. */
async function sbomFault(path: string, sha256: string, subject: SbomSubject): Promise<string | undefined> {
  let value: unknown;
  try {
    const document = await readWithin(path, longestSbom);
    if (checksum(document) !== sha256) return "has another checksum";
    value = JSON.parse(document.toString("utf8"));
  } catch (error) {
    return hasCode(error, "ENOENT") ? "is not beside it" : `cannot be read: ${reasonOf(error)}`;
  }
  const document = check(sbomSchema, value);
  if (!document.success) return `is no SPDX 2.3 document: ${document.problems.join(", and ")}`;
  return sbomProblem(document.value, subject);
}

/** A record takes some kilobytes. */
const longestRecord = 1024 * 1024;

/** @throws Error when it is longer, or no regular file: what is none may never end. */
async function readWithin(path: string, longest: number): Promise<Buffer> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error("it is no file");
  if (found.size > longest) throw new Error(`it has ${found.size} bytes; accepted are ${longest}`);
  return readFile(path);
}

async function recordNames(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder, { recursive: true });
    return names.filter((name) => name.endsWith(".json") && !name.endsWith(".spdx.json")).toSorted();
  } catch (error) {
    throw new ConfigError("environment", [
      `MIRROR_DIGESTS: ${JSON.stringify(folder)} cannot be read: ${reasonOf(error)}; accepted is a folder of build records`,
    ]);
  }
}

function isSame(one: RecordSubject, other: RecordSubject): boolean {
  return one.app === other.app && one.version === other.version && one.platform === other.platform;
}

function byVersion(images: readonly RecordedImage[]): HandedOver {
  const apps = new Map<string, Map<string, Map<Platform, RecordedImage>>>();
  for (const image of images) {
    const { app, version, platform } = image.record;
    entryOf(entryOf(apps, app), version).set(platform, image);
  }
  const versions = (of: ReadonlyMap<string, ReadonlyMap<Platform, RecordedImage>>): HandedOver[string] =>
    Object.fromEntries([...of].map(([version, platforms]) => [version, Object.fromEntries(platforms)]));
  return Object.fromEntries([...apps].map(([app, of]) => [app, versions(of)]));
}

function imagesIn(images: HandedOver): readonly RecordedImage[] {
  return Object.values(images).flatMap((versions) => Object.values(versions).flatMap((one) => Object.values(one)));
}

/** The map under a key, made when it is not there. */
function entryOf<Key, Inner, Value>(map: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  const entry = map.get(key) ?? new Map<Inner, Value>();
  map.set(key, entry);
  return entry;
}

function checksum(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
