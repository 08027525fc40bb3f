import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../model/digest";
import { type Platform, platformSlug } from "../model/platform";
import { toolFailure } from "./tools";
import type { RunProcess } from "../system/process";
import { checked } from "../config/problems";
import { foreignPackage, packagesOnly, spdxSchema } from "./spdxDocument";

/** One platform's image, by digest. */
export interface SbomSubject {
  /** `registry/namespace/name` it is published in. */
  readonly repository: string;
  /** Where it is read, `name@sha256:…`; default: in that repository. An image that is to be copied is still upstream's. */
  readonly from?: string;
  readonly digest: Digest;
  readonly platform: Platform;
}

/** How syft is called. */
export interface SyftOptions {
  readonly run: RunProcess;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly limitMs: number;
}

/** 2 MiB: what logs that store whole statements take, with room for the envelope around it. */
const longestDocument = 2 * 1024 * 1024;

/**
 * The name of the SPDX document about one platform: `<repository>@<digest> (<platform>)`. It tells the SBOMs attested on
 * an index apart.
 */
export function sbomName({ repository, digest, platform }: SbomSubject): string {
  return `${repository}@${digest} (${platform})`;
}

/**
 * Scans one platform's image in the registry with syft and writes its SPDX 2.3 document into a file, whose path it gives: packages
 * and how they relate, no files.
 * @throws Error when syft fails, or what it wrote is no SPDX 2.3 document, is about another platform or too long to be attested.
 */
export async function makeSbom(subject: SbomSubject, options: SyftOptions): Promise<string> {
  const { run, directory, limitMs } = options;
  const file = join(directory, `sbom-${platformSlug(subject.platform)}.json`);
  const settings = { SYFT_CHECK_FOR_APP_UPDATE: "false", SYFT_FILE_METADATA_SELECTION: "none" };
  const environment = { ...options.environment, ...settings };
  const source = ["--source-name", subject.repository, "--source-version", subject.digest];
  const what = [
    "--platform",
    subject.platform,
    `registry:${subject.from ?? `${subject.repository}@${subject.digest}`}`,
  ];
  const argv = ["scan", "--quiet", "--output", `spdx-json@2.3=${file}`, ...source, ...what];
  const result = await run("syft", argv, { environment, directory, limitMs });
  if (result.status !== 0) throw toolFailure("syft", argv, result, environment);
  const document: unknown = JSON.parse(await readFile(file, "utf8"));
  const sbom = packagesOnly(checked(spdxSchema, document, "syft wrote no SPDX 2.3 document"));
  const foreign = foreignPackage(sbom, subject.platform);
  if (foreign !== undefined) {
    throw new Error(`the SBOM for ${subject.platform} names ${JSON.stringify(foreign)}, of another architecture`);
  }
  const text = JSON.stringify({ ...sbom, name: sbomName(subject) });
  const { length } = Buffer.from(text);
  if (length > longestDocument) {
    const size = `${length} bytes for ${sbom.packages.length} packages`;
    throw new Error(
      `the SBOM for ${subject.platform} has ${size}; accepted are ${longestDocument}, or attest.sbom: false`,
    );
  }
  await writeFile(file, text);
  return file;
}

/** Whether a verified SPDX predicate is the SBOM of this platform's image. */
export function isSbomOf(predicate: unknown, subject: SbomSubject): boolean {
  return (
    typeof predicate === "object" && predicate !== null && "name" in predicate && predicate.name === sbomName(subject)
  );
}
