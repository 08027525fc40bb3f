import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Digest } from "../model/digest";
import { type Platform, platformSlug } from "../model/platform";
import { toolFailure } from "./tools";
import type { RunProcess } from "../system/process";
import { checked } from "../config/problems";

/** One platform's image, by digest. */
export interface SbomSubject {
  readonly repository: string;
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

const schema = z.looseObject({
  spdxVersion: z.literal("SPDX-2.3"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.string().min(1),
  creationInfo: z.looseObject({ created: z.string().min(1) }),
  packages: z.array(z.unknown()).min(1),
});

/**
 * The name of the SPDX document about one platform: `<repository>@<digest> (<platform>)`. It tells the SBOMs attested on
 * an index apart.
 */
export function sbomName({ repository, digest, platform }: SbomSubject): string {
  return `${repository}@${digest} (${platform})`;
}

/**
 * Scans one platform's image in the registry with syft and writes its SPDX 2.3 document into a file, whose path it gives.
 * @throws Error when syft fails or what it wrote is no SPDX 2.3 document.
 */
export async function makeSbom(subject: SbomSubject, options: SyftOptions): Promise<string> {
  const { run, directory, limitMs } = options;
  const file = join(directory, `sbom-${platformSlug(subject.platform)}.json`);
  const environment = { ...options.environment, SYFT_CHECK_FOR_APP_UPDATE: "false" };
  const source = ["--source-name", subject.repository, "--source-version", subject.digest];
  const what = ["--platform", subject.platform, `registry:${subject.repository}@${subject.digest}`];
  const argv = ["scan", "--quiet", "--output", `spdx-json@2.3=${file}`, ...source, ...what];
  const result = await run("syft", argv, { environment, directory, limitMs });
  if (result.status !== 0) throw toolFailure("syft", argv, result, environment);
  const document: unknown = JSON.parse(await readFile(file, "utf8"));
  const sbom = checked(schema, document, "syft wrote no SPDX 2.3 document");
  await writeFile(file, JSON.stringify({ ...sbom, name: sbomName(subject) }));
  return file;
}

/** Whether a verified SPDX predicate is the SBOM of this platform's image. */
export function isSbomOf(predicate: unknown, subject: SbomSubject): boolean {
  return (
    typeof predicate === "object" && predicate !== null && "name" in predicate && predicate.name === sbomName(subject)
  );
}
