import { z } from "zod";
import { type CatalogueVersion, versionSchema } from "./schema";

type Package = CatalogueVersion["packages"][number];

const none: readonly string[] = ["", "NOASSERTION", "NONE"];

/** An SPDX 2.3 document, as far as it is shown. It is signed, but what scanners write into it comes from packages. */
const documentSchema = z.looseObject({
  creationInfo: z.looseObject({ created: z.string().optional() }).optional(),
  packages: z
    .array(
      z.looseObject({
        SPDXID: z.string().default(""),
        name: z.string().default(""),
        versionInfo: z.string().default(""),
        licenseConcluded: z.string().default(""),
        licenseDeclared: z.string().default(""),
        primaryPackagePurpose: z.string().optional(),
        externalRefs: z.array(z.looseObject({ referenceType: z.string(), referenceLocator: z.string() })).default([]),
      }),
    )
    .default([]),
});

/** The packages of one platform, in the order of their names, and when the document was made. */
export const spdxFactsSchema = z.strictObject({
  created: z.string().optional(),
  packages: versionSchema.shape.packages,
});

/** See {@link spdxFactsSchema}. */
export type SpdxFacts = z.output<typeof spdxFactsSchema>;

/** Reads an attested SPDX document. The image itself, which scanners list as a package, is left out. */
export function spdxPackages(document: unknown): SpdxFacts {
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) return { packages: [] };
  const { creationInfo, packages } = parsed.data;
  const listed = packages.filter(({ primaryPackagePurpose }) => primaryPackagePurpose !== "CONTAINER");
  const found = listed.map(({ name, versionInfo, licenseConcluded, licenseDeclared, externalRefs }): Package => {
    const licenses = [licenseConcluded, licenseDeclared].find((license) => !none.includes(license));
    const purl = externalRefs.find(({ referenceType }) => referenceType === "purl")?.referenceLocator;
    const kind = /^pkg:([a-z0-9.+-]+)\//i.exec(purl ?? "")?.[1];
    return {
      name,
      version: versionInfo,
      ...(kind !== undefined && { kind }),
      ...(licenses !== undefined && { licenses }),
    };
  });
  return { ...(creationInfo?.created !== undefined && { created: creationInfo.created }), packages: unique(found) };
}

/** The packages of all platforms in one list; those that not every platform has say which do. */
export function mergedPackages(byPlatform: ReadonlyMap<string, readonly Package[]>): Package[] {
  const merged = new Map<string, { readonly one: Package; readonly platforms: string[] }>();
  for (const [platform, packages] of byPlatform) {
    for (const one of packages) {
      const known = merged.get(keyOf(one));
      if (known) known.platforms.push(platform);
      else merged.set(keyOf(one), { one, platforms: [platform] });
    }
  }
  const all = [...merged.values()].map(({ one, platforms }) =>
    platforms.length === byPlatform.size ? one : { ...one, platforms },
  );
  return all.toSorted(inOrder);
}

/** What is another in one list than in the other. */
export function packageChanges(
  before: readonly Package[],
  after: readonly Package[],
): NonNullable<CatalogueVersion["changes"]>["packages"] {
  const [old, now] = [versionsByName(before), versionsByName(after)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return keys.flatMap((key) => {
    const [from, to] = [old.get(key)?.versions.join(", "), now.get(key)?.versions.join(", ")];
    const { name = "", kind } = now.get(key) ?? old.get(key) ?? {};
    if (from === to) return [];
    return [
      {
        name,
        ...(kind !== undefined && { kind }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
      },
    ];
  });
}

function versionsByName(packages: readonly Package[]) {
  const found = new Map<
    string,
    { readonly name: string; readonly kind?: string | undefined; readonly versions: string[] }
  >();
  for (const { name, kind, version } of packages) {
    const key = JSON.stringify([name, kind]);
    const known = found.get(key) ?? { name, kind, versions: [] };
    if (!known.versions.includes(version)) known.versions.push(version);
    found.set(key, known);
  }
  for (const { versions } of found.values()) versions.sort();
  return found;
}

function unique(packages: readonly Package[]): Package[] {
  return [...new Map(packages.map((one) => [keyOf(one), one])).values()].toSorted(inOrder);
}

function keyOf({ name, version, kind, licenses }: Package): string {
  return JSON.stringify([name, version, kind, licenses]);
}

function inOrder(left: Package, right: Package): number {
  const [one, other] = [keyOf(left), keyOf(right)];
  return one < other ? -1 : one > other ? 1 : 0;
}
