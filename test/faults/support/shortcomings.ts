import type { MirrorUnderTest } from "../../e2e/support/mirrorUnderTest";
import { bundles, verified } from "./signedBundles";

const platforms = ["linux/amd64", "linux/arm64"];

/**
 * What the registry lacks of a complete, signed app, as other clients see it, a line each: every version's index with both
 * platforms and nothing else, pullable to the last layer, each bundle there and verified, and `latest` on the last version.
 * @param options.exactly a bundle too many counts too; else one written again after a lost answer is no shortcoming.
 */
export async function shortcomings(
  mirror: MirrorUnderTest,
  app: string,
  versions: readonly string[],
  options: { readonly exactly?: boolean } = {},
): Promise<readonly string[]> {
  const tags = (await mirror.registry.tags(app)).filter((tag) => !tag.startsWith("sha256-"));
  const expected = [...versions, "latest"];
  if (tags.join() !== expected.join()) return [`the tags are ${tags.join()}, not ${expected.join()}`];
  const lines = await Promise.all(
    versions.map((version) => versionShortcomings(mirror, app, version, options.exactly ?? false)),
  );
  const [last, latest] = await Promise.all(
    [versions.at(-1) ?? "", "latest"].map((tag) => mirror.registry.digest(app, tag)),
  );
  return [...lines.flat(), ...(last === latest ? [] : [`latest names ${latest}, not ${last}`])];
}

async function versionShortcomings(
  mirror: MirrorUnderTest,
  app: string,
  version: string,
  exactly: boolean,
): Promise<readonly string[]> {
  const index = await mirror.registry.index(app, version);
  const held = Object.keys(index.platforms).toSorted();
  if (held.join() !== platforms.join()) return [`${app} ${version} has ${held.join()}, not ${platforms.join()}`];
  await mirror.registry.pull(app, version);
  const digests = [
    [index.digest, bundles.index],
    ...Object.values(index.platforms).map((digest) => [digest, bundles.platform] as const),
  ] as const;
  const lines = await Promise.all(
    digests.map(async ([digest, wanted]) => {
      const found = await verified(mirror, app, digest);
      const lacking = surplus(wanted, found).map((kind) => `${app} ${version} lacks a ${kind} on ${digest}`);
      const extra = exactly ? surplus(found, wanted).map((kind) => `a ${kind} too many on ${digest}`) : [];
      return [...lacking, ...extra];
    }),
  );
  return lines.flat();
}

/** The kinds of which a list has more than another. */
function surplus(list: readonly string[], other: readonly string[]): readonly string[] {
  const count = (of: readonly string[], kind: string): number => of.filter((entry) => entry === kind).length;
  return [...new Set(list)].filter((kind) => count(list, kind) > count(other, kind));
}
