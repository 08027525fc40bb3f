import { readFile, writeFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { platformSlug, platformParts } from "../model/platform";
import { longestSbom, type Sbom, type SbomSubject, sbomName, sbomProblem, sbomSchema } from "../model/sbom";
import { toolFailure, syftEnvironment } from "./tools";
import type { RunProcess } from "../system/process";
import { checked } from "../config/problems";
import { availableParallelism, tmpdir } from "node:os";
import type { AttestConfig } from "../config/attestConfig";
import { Limiter } from "../system/limiter";
import { runProcess } from "../system/process";

/** The image an SBOM is made of. */
export interface ScanSubject extends SbomSubject {
  /** Where it is read, `name@sha256:…`; default: in its repository. An image that is to be copied is still upstream's. */
  readonly from?: string;
}

/** How syft is called. */
export interface SyftOptions {
  readonly run: RunProcess;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly limitMs: number;
}

/**
 * Scans one platform's image in the registry with syft and writes its SPDX 2.3 document into a file, whose path it gives: packages
 * and how they relate, no files.
 * @throws Error when syft fails, or what it wrote is no SPDX 2.3 document, is about another platform or too long to be attested.
 */
export async function makeSbom(subject: ScanSubject, options: SyftOptions): Promise<string> {
  const { run, directory, limitMs } = options;
  const file = join(directory, `sbom-${platformSlug(subject.platform)}.json`);
  const settings = { SYFT_CHECK_FOR_APP_UPDATE: "false", SYFT_FILE_METADATA_SELECTION: "none" };
  const environment = { ...options.environment, ...settings };
  const source = ["--source-name", subject.repository, "--source-version", subject.digest];
  const { os, architecture } = platformParts(subject.platform);
  // The digest says which image it is. Configurations seldom name the variant an index does (amd64/v2), and syft refuses the difference.
  const platform = ["--platform", `${os}/${architecture}`];
  const what = [...platform, `registry:${subject.from ?? `${subject.repository}@${subject.digest}`}`];
  const argv = ["scan", "--output", `spdx-json@2.3=${file}`, ...source, ...what];
  const result = await run("syft", argv, { environment, directory, limitMs });
  if (result.status !== 0) throw toolFailure("syft", argv, result, environment);
  const document: unknown = JSON.parse(await readFile(file, "utf8"));
  const written = packagesOnly(checked(sbomSchema, document, "syft wrote no SPDX 2.3 document"));
  const sbom = { ...written, name: sbomName(subject) };
  const problem = sbomProblem(sbom, subject);
  if (problem !== undefined) throw new Error(`the SBOM for ${subject.platform} ${problem}`);
  const text = JSON.stringify(sbom);
  const { length } = Buffer.from(text);
  if (length > longestSbom) {
    const size = `${length} bytes for ${sbom.packages.length} packages`;
    throw new Error(`the SBOM for ${subject.platform} has ${size}; accepted are ${longestSbom}, or attest.sbom: false`);
  }
  await writeFile(file, text);
  return file;
}

/**
 * The document without its files: the packages and how they relate. The files of an image are many times as long, and
 * transparency logs that take whole statements refuse those.
 */
function packagesOnly(document: Sbom): Sbom {
  const packages = document.packages.map((one) => ({
    ...without(one, ["hasFiles", "packageVerificationCode"]),
    // What is said of files is left out, so the document no longer claims that they were looked through.
    filesAnalyzed: false,
  }));
  const known = new Set([document.SPDXID, ...packages.map(({ SPDXID }) => SPDXID)]);
  const relationships = document.relationships.filter(
    ({ spdxElementId, relatedSpdxElement }) => known.has(spdxElementId) && known.has(relatedSpdxElement),
  );
  return { ...without(document, ["files", "snippets"]), packages, relationships };
}

function without<T extends object>(value: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T;
}

const longestScanMs = 15 * 60_000;

/**
 * Makes the SBOMs of images, as many at a time as the machine has processors: work of the build phase, as it unpacks what others made.
 * @returns a function that resolves to the content of an SPDX document, and rejects when syft fails.
 */
export function imageScanner(
  { signing }: Pick<AttestConfig, "signing">,
  environment: NodeJS.ProcessEnv,
): (subject: ScanSubject) => Promise<Buffer> {
  const limiter = new Limiter(availableParallelism());
  return (subject) =>
    limiter.run(async () => {
      const directory = await mkdtemp(join(tmpdir(), "scan-"));
      try {
        const options = {
          run: runProcess,
          environment: syftEnvironment(environment, signing),
          directory,
          limitMs: longestScanMs,
        };
        return await readFile(await makeSbom(subject, options));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
}
