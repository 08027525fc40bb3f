import { type Platform, platformsIn } from "../../components/model/platform";
import type { Release } from "../../components/model/release";
import { formatReference, parseReference } from "../../components/model/reference";
import type { Outside, Tree } from "./outside";

/** Upstream's own image of a version. */
export interface FoundOfficial {
  /** With its registry, without a tag. */
  readonly image: string;
  /** How its tags are made of a release. */
  readonly tagged: "version" | "tag" | "v";
  readonly platforms: readonly Platform[];
}

const mostGuesses = 8;
const named =
  /(?:image:\s*|docker (?:pull|run)[^\n]*?\s|images:\s*)["']?((?:[\w.-]+(?::\d+)?\/)?[a-z0-9._-]+\/[a-z0-9._-]+)(?=[:@"'\s\\]|$)/gim;

/**
 * Finds upstream's own image: one that its files name, or under its name on Docker Hub or GitHub, if it has a tag for the release.
 * Where a registry does not answer, `trouble` says why there may be one all the same.
 * @param url of the git repository.
 */
export async function findOfficial(
  url: string,
  tree: Tree,
  release: Release,
  probe: Outside["probe"],
): Promise<FoundOfficial | { readonly trouble: string } | undefined> {
  let trouble: string | undefined;
  for (const image of (await guesses(url, tree)).slice(0, mostGuesses)) {
    for (const [tagged, tag] of tags(release)) {
      const answer = await probe(`${image}:${tag}`);
      if (answer.state === "present")
        return { image, tagged, platforms: platformsIn({ ...answer.platforms, ...answer.misdescribed }) };
      if (answer.state !== "unknown") continue;
      trouble ??= answer.reason;
      break;
    }
  }
  return trouble === undefined ? undefined : { trouble };
}

function tags({ version, tag }: Release): readonly (readonly [FoundOfficial["tagged"], string])[] {
  const all = [
    ["version", version],
    ["tag", tag],
    ["v", `v${version}`],
  ] as const;
  const usable = all.filter(([, name]) => /^[\w][\w.-]{0,127}$/.test(name));
  return usable.filter(([, name], position) => usable.findIndex(([, other]) => other === name) === position);
}

async function guesses(url: string, tree: Tree): Promise<readonly string[]> {
  const [name = "", owner = ""] = url
    .replace(/\.git$/, "")
    .toLowerCase()
    .split("/")
    .reverse();
  const files = tree.paths.filter(
    (path) =>
      /^(?:readme\.(?:md|rst|adoc)|docs?\/readme\.md)$/i.test(path) ||
      /^(?:[\w-]+\/)?(?:docker-)?compose[\w.-]*\.ya?ml$/i.test(path),
  );
  const texts = await Promise.all(files.slice(0, 6).map((path) => tree.text(path)));
  const written = texts.flatMap((text) => [...(text ?? "").matchAll(named)].map(([, image = ""]) => image));
  const own = written.filter((image) => image.includes(name) || image.split("/").includes(owner));
  const all = [...own, `${owner}/${name}`, `ghcr.io/${owner}/${name}`].flatMap((image) => {
    try {
      const { registry, repository } = parseReference(image);
      return [formatReference({ registry, repository })];
    } catch {
      return [];
    }
  });
  return [...new Set(all)];
}
