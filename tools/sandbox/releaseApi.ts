import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { outputOf } from "../../components/system/process";
import { gitEnvironment } from "./gitRepository";

const git = (...args: readonly string[]): Promise<string> =>
  outputOf("git", args, { environment: gitEnvironment(), limitMs: 60_000 });

/** A release as the GitHub REST API lists it; fields left out get harmless values. */
export interface FixtureRelease {
  readonly tag_name: string;
  readonly name?: string;
  readonly draft?: boolean;
  readonly prerelease?: boolean;
  /** ISO 8601. */
  readonly published_at?: string;
  readonly target_commitish?: string;
}

/** What a REST API answers: the body is sent as JSON. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const notFound: Reply = { status: 404, body: { message: "Not Found", documentation_url: "", status: "404" } };

/**
 * The parts of the GitHub REST API the mirror uses, below `/api/v3` as on GitHub Enterprise: releases (from
 * `releases/OWNER/NAME.json`, pages with Link headers), git references (from the sandbox's repository `OWNER/NAME.git`), and
 * users, none of whom is an organisation.
 * Source: the GitHub REST API's "Releases", "Git database" and "Users" references.
 */
export function createReleaseApi(releases: string, repositories: string): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
    void route(url, request.headers.authorization, releases, repositories)
      .catch((error: unknown): Reply => ({ status: 500, body: { message: String(error) } }))
      .then((reply) => send(response, reply));
  });
}

/** Sends a reply. */
export function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}

async function route(
  url: URL,
  authorization: string | undefined,
  releases: string,
  repositories: string,
): Promise<Reply> {
  const path = decodeURIComponent(url.pathname).replace(/^\/api\/v3(?=\/|$)/, "");
  if (path === "" || path === "/" || path === "/meta" || path === "/rate_limit") return { status: 200, body: {} };
  if (path === "/user") return whoAmI(authorization);
  const user = /^\/users\/([\w.-]+)$/.exec(path)?.[1];
  if (user !== undefined) return { status: 200, body: { login: user, id: 1, type: "User" } };
  const [, owner, name, rest = ""] = /^\/repos\/([\w.-]+)\/([\w.-]+)(\/.*)?$/.exec(path) ?? [];
  if (owner === undefined || name === undefined || owner.startsWith(".") || name.startsWith(".")) return notFound;
  const repository = join(repositories, owner, `${name}.git`);
  if (rest === "") return repositoryReply(owner, name);
  if (rest === "/releases") return releasePage(url, join(releases, owner, `${name}.json`));
  const references = /^\/git\/(?:matching-refs|refs?)\/(.+)$/.exec(rest)?.[1];
  if (references !== undefined)
    return referencesReply(url, repository, references, rest.startsWith("/git/matching-refs/"));
  const tag = /^\/git\/tags\/([0-9a-f]{40})$/.exec(rest)?.[1];
  if (tag !== undefined) return tagReply(repository, tag);
  return notFound;
}

/** What GitHub answers the token of a workflow, which belongs to nobody; there is no other token in a sandbox. */
function whoAmI(authorization: string | undefined): Reply {
  const documentation = "https://docs.github.com/rest/users/users#get-the-authenticated-user";
  const refused = (status: number, message: string): Reply => ({
    status,
    body: { message, documentation_url: documentation, status: `${status}` },
  });
  return authorization === undefined
    ? refused(401, "Requires authentication")
    : refused(403, "Resource not accessible by integration");
}

function repositoryReply(owner: string, name: string): Reply {
  return { status: 200, body: { id: 1, name, full_name: `${owner}/${name}`, owner: { login: owner }, private: false } };
}

/** The releases in a file of them; undefined when there is none. */
function releasesIn(file: string): readonly FixtureRelease[] | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly FixtureRelease[]) : undefined;
}

/**
 * The release lists of other forges, as their APIs are found beside the git repository: GitLab's and Gitea's. Undefined for an address of
 * neither. Sources: GitLab's "Releases API", Gitea's "repoListReleases".
 */
export function forgeReply(url: URL, releases: string): Reply | undefined {
  const gitlab = /^\/api\/v4\/projects\/([\w.%-]+)\/releases$/.exec(url.pathname)?.[1];
  const gitea = /^\/api\/v1\/repos\/([\w.-]+\/[\w.-]+)\/releases$/.exec(url.pathname)?.[1];
  const name = gitea ?? (gitlab && decodeURIComponent(gitlab));
  if (name === undefined) return undefined;
  const inside = !name.split("/").some((part) => part.startsWith("."));
  const all = inside ? releasesIn(join(releases, `${name}.json`)) : undefined;
  if (!all) return notFound;
  return page(
    url,
    all.map(({ tag_name, draft = false, prerelease = false, published_at = "2026-01-01T00:00:00Z" }) =>
      gitea === undefined
        ? { tag_name, released_at: published_at, upcoming_release: draft }
        : { tag_name, draft, prerelease, published_at },
    ),
    gitea === undefined ? "per_page" : "limit",
  );
}

function releasePage(url: URL, file: string): Reply {
  const all = releasesIn(file);
  if (!all) return notFound;
  // The real list ends after a thousand releases, too.
  const complete = all.slice(0, 1000).map((release, position) => ({
    ...{
      id: position + 1,
      name: release.tag_name,
      draft: false,
      prerelease: false,
      target_commitish: "main",
      assets: [],
    },
    ...{ published_at: new Date(Date.UTC(2026, 0, 1) - position * 3_600_000).toISOString() },
    ...release,
  }));
  return page(url, complete);
}

function page(url: URL, entries: readonly unknown[], sizeParameter = "per_page"): Reply {
  const size = Math.min(100, Math.max(1, Number(url.searchParams.get(sizeParameter) ?? 30) || 30));
  const number = Math.max(1, Number(url.searchParams.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(entries.length / size));
  const link = (target: number, relation: string): string => {
    const address = new URL(url);
    address.searchParams.set("page", String(target));
    return `<${address.href}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, "prev"), link(1, "first")] : []),
    ...(number < last ? [link(number + 1, "next"), link(last, "last")] : []),
  ];
  const body = entries.slice((number - 1) * size, number * size);
  return { status: 200, body, ...(links.length > 0 && { headers: { Link: links.join(", ") } }) };
}

async function referencesReply(url: URL, repository: string, reference: string, prefix: boolean): Promise<Reply> {
  if (!existsSync(repository)) return notFound;
  const format = "%(refname) %(objectname) %(objecttype)";
  const listed = await git("-C", repository, "for-each-ref", `--format=${format}`);
  const wanted = `refs/${reference}`;
  const found = listed.split("\n").flatMap((line) => {
    const [ref = "", sha, type] = line.split(" ");
    const matches = prefix ? ref.startsWith(wanted) : ref === wanted;
    return matches ? [{ ref, object: { sha, type } }] : [];
  });
  if (prefix) return page(url, found);
  return found[0] ? { status: 200, body: found[0] } : notFound;
}

async function tagReply(repository: string, sha: string): Promise<Reply> {
  const peeled = await git("-C", repository, "rev-parse", "--verify", `${sha}^{commit}`).catch(() => undefined);
  if (peeled === undefined) return notFound;
  return { status: 200, body: { sha, object: { sha: peeled.trim(), type: "commit" } } };
}
