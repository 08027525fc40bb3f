import { z } from "zod";
import type { Digest } from "./digest";
import { type Platform, platformParts } from "./platform";

/** One platform's image, by digest. */
export interface SbomSubject {
  /** `registry/namespace/name` it is published in. */
  readonly repository: string;
  readonly digest: Digest;
  readonly platform: Platform;
}

/** 2 MiB: what logs that store whole statements take, with room for the envelope around it. */
export const longestSbom = 2 * 1024 * 1024;

const packageSchema = z.looseObject({
  SPDXID: z.string(),
  name: z.string().default(""),
  versionInfo: z.string().optional(),
  externalRefs: z.array(z.looseObject({ referenceType: z.string(), referenceLocator: z.string() })).default([]),
});
const relationshipSchema = z.looseObject({
  spdxElementId: z.string(),
  relationshipType: z.string().default(""),
  relatedSpdxElement: z.string(),
});

/** An SPDX 2.3 document, as far as it matters here. Source: https://spdx.github.io/spdx-spec/v2.3/. */
export const sbomSchema = z.looseObject({
  spdxVersion: z.literal("SPDX-2.3"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.string().min(1),
  creationInfo: z.looseObject({ created: z.string().min(1) }),
  packages: z.array(packageSchema).min(1),
  relationships: z.array(relationshipSchema).default([]),
});

/** An SPDX document, checked. */
export type Sbom = z.output<typeof sbomSchema>;

/**
 * The name of the SPDX document about one platform: `<repository>@<digest> (<platform>)`. It tells the SBOMs attested on
 * an index apart.
 */
export function sbomName({ repository, digest, platform }: SbomSubject): string {
  return `${repository}@${digest} (${platform})`;
}

/** Whether a verified SPDX predicate is the SBOM of this platform's image. */
export function isSbomOf(predicate: unknown, subject: SbomSubject): boolean {
  return (
    typeof predicate === "object" && predicate !== null && "name" in predicate && predicate.name === sbomName(subject)
  );
}

/**
 * Why a document is not the SBOM of this platform's image: its name or what it says it describes is another image's, or a package is
 * of another architecture. It goes on from "the SBOM …". Undefined: nothing in it speaks against it.
 */
export function sbomProblem(document: Sbom, subject: SbomSubject): string | undefined {
  if (!isSbomOf(document, subject))
    return `is named ${JSON.stringify(document.name)}, wanted is ${JSON.stringify(sbomName(subject))}`;
  const { digest, platform } = subject;
  const described = describedVersions(document).find((version) => version !== digest);
  if (described !== undefined) return `describes ${JSON.stringify(described)}, wanted is ${digest}`;
  const foreign = foreignPackage(document, platform);
  return foreign && `names ${JSON.stringify(foreign)}, of another architecture`;
}

/** What a document says it is about, which syft lists as a package whose version is the image's digest. */
function describedVersions({ SPDXID, packages, relationships }: Sbom): readonly string[] {
  const described = relationships
    .filter(({ spdxElementId, relationshipType }) => spdxElementId === SPDXID && relationshipType === "DESCRIBES")
    .map(({ relatedSpdxElement }) => relatedSpdxElement);
  return packages.flatMap((one) => (described.includes(one.SPDXID) ? (one.versionInfo ?? []) : []));
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
function foreignPackage({ packages }: Sbom, platform: Platform): string | undefined {
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
