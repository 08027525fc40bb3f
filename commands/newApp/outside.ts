import { join } from "node:path";
import { GitRepository, type TreeFile } from "../../components/discover/gitRepository";
import { listRemote, throughRedirect } from "../../components/discover/gitReferences";
import { httpGet, sharedEdges, type UpstreamEdges } from "../../components/discover/upstreamEdges";
import { fileTransport } from "../../components/discover/upstreamFiles";
import type { Probe } from "../../components/model/probe";
import type { Release } from "../../components/model/release";
import { RegistryClient } from "../../components/registry/registryClient";
import { cacheDirectory } from "../../components/system/cacheDirectory";

/** The ways the command reaches the outside. All of them only read. */
export interface Outside {
  readonly upstream: UpstreamEdges;
  /** What a registry says of an image; trouble is the answer `unknown`. */
  readonly probe: (reference: string) => Promise<Probe>;
  /** Looks at the tree of a release. */
  readonly tree: <T>(url: string, release: Release, look: (tree: Tree) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** The files of one commit. */
export interface Tree {
  readonly paths: readonly string[];
  /** Text of a file; undefined where the commit has none of the path, or none that can be read. */
  readonly text: (path: string) => Promise<string | undefined>;
}

const gitLimitMs = 300_000;
const largestFile = 1024 * 1024;

/** Opens the outside: git by itself, GitHub at `GITHUB_BASE_URL` with `GITHUB_TOKEN` where they are set, registries as Docker is logged in to them. */
export function openOutside(environment: NodeJS.ProcessEnv): Outside {
  const registry = new RegistryClient({ environment });
  const transport = fileTransport({ environment });
  const get = httpGet(transport);
  const { GITHUB_TOKEN: token, GITHUB_BASE_URL: base = "https://api.github.com/" } = environment;
  return {
    upstream: sharedEdges({
      get,
      restApi: httpGet(transport, { base, ...(token && { token }) }),
      listRemote: (url) => throughRedirect(url, transport, (address) => listRemote(address, { environment })),
      imageTags: (repository) => registry.tags(repository),
      imageLabels: (reference) => registry.labels(reference),
    }),
    probe: (reference) => registry.probe(reference, { skipChildren: true }),
    tree: (given, release, look) =>
      throughRedirect(given, transport, async (url) => {
        const repository = await GitRepository.create(join(cacheDirectory(environment), "fetching"), url, gitLimitMs);
        try {
          await fetchRelease(repository, release);
          const { commit } = await repository.fetched();
          return await look({
            paths: await repository.paths(),
            text: async (path) => textOf((await repository.files(commit, [path], largestFile))[0]),
          });
        } finally {
          await repository.remove();
        }
      }),
    close: () => registry.close(),
  };
}

/** Some hosts hand out only what a tag or branch names. */
async function fetchRelease(repository: GitRepository, { commit, reference, tag, gitTag = tag }: Release) {
  try {
    await repository.fetchCommit(commit);
  } catch (error) {
    if (reference === "commit") throw error;
    await repository.fetchReference(`refs/${reference === "tag" ? "tags" : "heads"}/${gitTag}`);
  }
}

function textOf(file: TreeFile | undefined): string | undefined {
  return file?.kind === "file" ? file.bytes.toString("utf8") : undefined;
}
