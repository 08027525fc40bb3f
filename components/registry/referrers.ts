import { type Digest, referrersTag } from "../model/digest";
import { formatReference, type Reference } from "../model/reference";
import { answerError, parseErrorCodes } from "./absentOrUnknown";
import { type Descriptor, type Manifest, parseManifest } from "./manifest";
import { RegistryError } from "./registryError";
import type { TransportAnswer } from "./transport";

/** What the listing needs of a client. Paths are relative to the repository. */
export interface ReferrersSource {
  readonly get: (path: string) => Promise<TransportAnswer>;
  readonly manifest: (tag: string) => Promise<Manifest | undefined>;
  /** Registries known to lack the API; added to here. */
  readonly withoutApi: Set<string>;
}

const mostPages = 100;
/** What registries without the API answer to it, besides a redirect to a web page (as ghcr.io does). */
const unsupported = new Set([400, 404, 405, 406]);

/**
 * All referrers of a manifest. With an artifact type the registry may filter, but need not. Source: OCI distribution
 * specification 1.1, "Listing Referrers" and "Referrers Tag Schema".
 * An empty answer of the API is checked against the fallback tag: there are registries and proxies that answer so to whatever they
 * do not know. A tag that names the manifest itself is no list: GitLab takes it for another way to write the digest.
 */
export async function listReferrers(
  reference: Reference & { readonly digest: Digest },
  artifactType: string | undefined,
  source: ReferrersSource,
): Promise<readonly Descriptor[]> {
  const what = `referrers of ${formatReference(reference)}`;
  if (!source.withoutApi.has(reference.registry)) {
    const listed = await fromApi(what, reference, artifactType, source);
    if (listed && listed.length > 0) return listed;
  }
  const tag = referrersTag(reference.digest);
  const fallback = await source.manifest(tag);
  if (!fallback || fallback.digest === reference.digest) return [];
  if (fallback.kind === "index") return fallback.manifests;
  const advice = "accepted is a list: delete the tag";
  throw new RegistryError("malformed", `cannot read ${what}: the tag ${tag} names an image; ${advice}`);
}

/** Whether the registry has the referrers API. Then it keeps the list itself. */
export async function hasReferrersApi(
  reference: Reference & { readonly digest: Digest },
  source: ReferrersSource,
): Promise<boolean> {
  if (source.withoutApi.has(reference.registry)) return false;
  return (await fromApi(`referrers of ${formatReference(reference)}`, reference, undefined, source)) !== undefined;
}

async function fromApi(
  what: string,
  { registry, digest }: Reference & { readonly digest: Digest },
  artifactType: string | undefined,
  source: ReferrersSource,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType }).toString()}`;
  let path: string | undefined = `referrers/${digest}${query}`;
  for (let page = 0; path !== undefined; page++) {
    const answer = await source.get(path);
    const { status } = answer;
    if (page === 0 && (unsupported.has(status) || (status >= 300 && status < 400))) {
      // A repository that does not exist says nothing about the API.
      if (parseErrorCodes(answer.body).length === 0) source.withoutApi.add(registry);
      return undefined;
    }
    if (status !== 200) throw answerError(what, answer);
    const headers = { contentType: answer.header("content-type"), contentDigest: undefined, expected: undefined };
    const manifest = parseManifest(what, answer.body, headers);
    if (manifest.kind !== "index")
      throw new RegistryError("malformed", `cannot read ${what}: the answer is not an index`);
    found.push(...manifest.manifests);
    if (page === mostPages) throw new RegistryError("malformed", `cannot read ${what}: more than ${mostPages} pages`);
    path = nextPage(what, digest, answer.header("link"));
  }
  return found;
}

/** Only the query of the next page's address is used: the rest is where the first page was. */
function nextPage(what: string, digest: Digest, link: string | undefined): string | undefined {
  if (link === undefined) return undefined;
  const target = /<([^<>]*)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
  if (target === undefined) return undefined;
  const query = target.includes("?") ? target.slice(target.indexOf("?")) : "";
  if (query !== "") return `referrers/${digest}${query}`;
  throw new RegistryError("malformed", `cannot read ${what}: the next page is said to be ${JSON.stringify(target)}`);
}
