import { readFile, writeFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../model/digest";
import { type Platform, platformSlug, platformParts } from "../model/platform";
import { toolFailure, syftEnvironment } from "./tools";
import type { RunProcess } from "../system/process";
import { checked } from "../config/problems";
import { z } from "zod";
import { availableParallelism, tmpdir } from "node:os";
import type { AttestConfig } from "../config/attestConfig";
import { Limiter } from "../system/limiter";
import { runProcess } from "../system/process";

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
  const { os, architecture } = platformParts(subject.platform);
  // The digest says which image it is. Configurations seldom name the variant an index does (amd64/v2), and syft refuses the difference.
  const platform = ["--platform", `${os}/${architecture}`];
  const what = [...platform, `registry:${subject.from ?? `${subject.repository}@${subject.digest}`}`];
  const argv = ["scan", "--output", `spdx-json@2.3=${file}`, ...source, ...what];
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

const packageSchema = z.looseObject({
  SPDXID: z.string(),
  name: z.string().default(""),
  externalRefs: z.array(z.looseObject({ referenceType: z.string(), referenceLocator: z.string() })).default([]),
});
const relationshipSchema = z.looseObject({ spdxElementId: z.string(), relatedSpdxElement: z.string() });

/** An SPDX 2.3 document, as far as it matters here. Source: https://spdx.github.io/spdx-spec/v2.3/. */
const spdxSchema = z.looseObject({
  spdxVersion: z.literal("SPDX-2.3"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.string().min(1),
  creationInfo: z.looseObject({ created: z.string().min(1) }),
  packages: z.array(packageSchema).min(1),
  relationships: z.array(relationshipSchema).default([]),
});

/** An SPDX document, checked. */
type SpdxDocument = z.output<typeof spdxSchema>;

/**
 * The document without its files: the packages and how they relate. The files of an image are many times as long, and
 * transparency logs that take whole statements refuse those.
 */
function packagesOnly(document: SpdxDocument): SpdxDocument {
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

/** What package managers call an architecture, and those of its programs it runs as well. */
const names: Readonly<Record<string, readonly string[]>> = {
  amd64: ["amd64", "x86_64", "x64", "i386", "i486", "i586", "i686", "386", "x86"],
  arm64: ["arm64", "aarch64", "armhf", "armel", "armv7", "armv7l", "armv7hl", "armv6", "arm"],
  arm: ["armhf", "armel", "armv7", "armv7l", "armv7hl", "armv6", "armv6hl", "arm"],
  "386": ["i386", "i486", "i586", "i686", "386", "x86"],
  ppc64le: ["ppc64le", "ppc64el"],
  s390x: ["s390x"],
  riscv64: ["riscv64"],
  loong64: ["loong64", "loongarch64"],
  mips64le: ["mips64el", "mips64le"],
};

/** A package that is for another architecture than the platform's, by its package URL; undefined when none is. */
function foreignPackage({ packages }: SpdxDocument, platform: Platform): string | undefined {
  const own = names[platformParts(platform).architecture];
  if (own === undefined) return undefined;
  const machines = new Set(Object.values(names).flat());
  return packages.flatMap(({ externalRefs }) =>
    externalRefs.flatMap(({ referenceType, referenceLocator }) => {
      const architecture = referenceType === "purl" ? architectureOf(referenceLocator) : undefined;
      const foreign = architecture !== undefined && machines.has(architecture) && !own.includes(architecture);
      return foreign ? [referenceLocator] : [];
    }),
  )[0];
}

function architectureOf(packageUrl: string): string | undefined {
  return /[?&]arch=([^&#]+)/.exec(packageUrl)?.[1]?.toLowerCase();
}

const longestScanMs = 15 * 60_000;

/**
 * Makes the SBOMs of images, as many at a time as the machine has processors: work of the build phase, as it unpacks what others made.
 * @returns a function that resolves to the content of an SPDX document, and rejects when syft fails.
 */
export function imageScanner(
  { signing }: Pick<AttestConfig, "signing">,
  environment: NodeJS.ProcessEnv,
): (subject: SbomSubject) => Promise<Buffer> {
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
