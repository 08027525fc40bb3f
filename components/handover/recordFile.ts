import { check, formatValue } from "../config/problems";
import { type BuildRecord, buildRecordSchema, type RecordedImage } from "../model/buildRecord";
import { type PerPlatform, platformSlug } from "../model/platform";
import { reasonOf } from "../model/reasonOf";

/** Which image of which version a record is about. */
export type RecordSubject = Pick<BuildRecord, "app" | "version" | "platform">;

/** Images handed over by build runs: app → version → platform. */
export type HandedOver = Readonly<Record<string, Readonly<Record<string, PerPlatform<RecordedImage>>>>>;

/** Where in the folder the record of an image belongs: `linux-arm64/app/1.2.3.json`. */
export function recordPath({ app, version, platform }: RecordSubject): string {
  return `${platformSlug(platform)}/${app}/${version}.json`;
}

/** Name of the SBOM beside a record. */
export function sbomName({ version }: Pick<RecordSubject, "version">): string {
  return `${version}.spdx.json`;
}

/** Writes a record as the text of its file. */
export function formatRecord(record: BuildRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/**
 * Reads the text of a record's file. It comes from another machine, so it is looked at as a stranger's: unknown fields are
 * refused, and it must be where a record of its image belongs.
 * @param name path of the file within the folder.
 * @param repositoryOf the repository of an app.
 * @returns the record, or a line for each mistake that names file and field.
 */
export function parseRecord(
  name: string,
  content: string,
  repositoryOf: (app: string) => string,
): { readonly record: BuildRecord; readonly problems?: never } | { readonly problems: readonly string[] } {
  const file = `build record ${formatValue(name)}`;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return { problems: [`${file}: it is not JSON: ${reasonOf(error)}; accepted is what a build run wrote`] };
  }
  const result = check(buildRecordSchema, value, { subject: file });
  if (!result.success) return { problems: result.problems };
  const record = result.value;
  const place = recordPath(record);
  const problems = [
    ...(name === place || name.endsWith(`/${place}`)
      ? []
      : [`${file}: it is about ${record.app} ${record.version} ${record.platform}, whose record is ${place}`]),
    ...(record.image.repository === repositoryOf(record.app)
      ? []
      : [
          `${file} image.repository: ${formatValue(record.image.repository)} is not the repository of this app; accepted is ${repositoryOf(record.app)}`,
        ]),
    ...(record.sbom === undefined || record.sbom.file === sbomName(record)
      ? []
      : [`${file} sbom.file: ${formatValue(record.sbom.file)}; accepted is ${sbomName(record)}`]),
  ];
  return problems.length === 0 ? { record } : { problems };
}
