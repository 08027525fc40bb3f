import type { CatalogueVersion } from "./schema";
import { packageChanges } from "./spdxPackages";

/** What is another in a version than in the one before: sizes, bases and packages. */
export function changesSince(
  before: CatalogueVersion,
  after: CatalogueVersion,
): NonNullable<CatalogueVersion["changes"]> {
  const [old, now] = [basesOf(before), basesOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return {
    since: before.tag,
    sizes: after.platforms.flatMap(({ platform, size }) => {
      const from = before.platforms.find((one) => one.platform === platform)?.size;
      return from === undefined ? [] : [{ platform, from, to: size }];
    }),
    bases: names.flatMap((reference) => {
      const [from, to] = [old.get(reference), now.get(reference)];
      if (from === to) return [];
      return [{ reference, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
    }),
    // A version without SBOMs has no packages to compare with.
    packages:
      before.packages.length === 0 || after.packages.length === 0
        ? []
        : packageChanges(before.packages, after.packages),
  };
}

function basesOf({ platforms }: CatalogueVersion): ReadonlyMap<string, string> {
  return new Map(
    platforms.flatMap(({ build }) => (build?.bases ?? []).map(({ reference, digest }) => [reference, digest] as const)),
  );
}
