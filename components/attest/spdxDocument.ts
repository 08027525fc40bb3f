import { z } from "zod";
import { type Platform, platformParts } from "../model/platform";

const packageSchema = z.looseObject({
  SPDXID: z.string(),
  name: z.string().default(""),
  externalRefs: z.array(z.looseObject({ referenceType: z.string(), referenceLocator: z.string() })).default([]),
});
const relationshipSchema = z.looseObject({ spdxElementId: z.string(), relatedSpdxElement: z.string() });

/** An SPDX 2.3 document, as far as it matters here. Source: https://spdx.github.io/spdx-spec/v2.3/. */
export const spdxSchema = z.looseObject({
  spdxVersion: z.literal("SPDX-2.3"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.string().min(1),
  creationInfo: z.looseObject({ created: z.string().min(1) }),
  packages: z.array(packageSchema).min(1),
  relationships: z.array(relationshipSchema).default([]),
});

/** An SPDX document, checked. */
export type SpdxDocument = z.output<typeof spdxSchema>;

/**
 * The document without its files: the packages and how they relate. The files of an image are many times as long, and
 * transparency logs that take whole statements refuse those.
 */
export function packagesOnly(document: SpdxDocument): SpdxDocument {
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
export function foreignPackage({ packages }: SpdxDocument, platform: Platform): string | undefined {
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
