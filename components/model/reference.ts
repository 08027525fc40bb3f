import { type Digest, isDigest } from "./digest";

/**
 * The name of something in a registry, taken apart. Docker Hub is always written `docker.io`, and its official
 * images carry their `library/`.
 */
export interface Reference {
  /** Host, with a port where one was given: `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path within the registry: `library/python`, `owner/team/name`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const longestRepository = 255;
const dockerHub = "docker.io";

// The classes are spelt out because \d and \w would say the same only as long as nobody adds a flag.
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9A-Fa-f:]+\\])(?::([0-9]{1,5}))?$`);
const repositoryPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads `[registry/]repository[:tag][@digest]` as Docker does: without a registry it is Docker Hub, whose
 * one-word names belong to `library/`. No tag is made up: neither tag nor digest given means neither is set.
 * The grammar is that of the distribution project (`reference/regexp.go`), with SHA-256 as the only digest.
 * @throws Error naming the value, the part at fault and what is accepted.
 */
export function parseReference(text: string): Reference {
  const { name, tag, digest } = referenceParts(text);
  if (tag !== undefined && !tagPattern.test(tag)) {
    throw refusal(text, `tag ${JSON.stringify(tag)}`, "at most 128 of A-Z a-z 0-9 _ . - with no . or - in front");
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw refusal(text, `digest ${JSON.stringify(digest)}`, '"sha256:" and 64 lower-case hex digits');
  }
  return { ...parseName(text, name), ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** A reference in the parts it is written in. Nothing is checked, and nothing made up. */
export function referenceParts(text: string): {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
} {
  const at = text.indexOf("@");
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  return {
    name: colon < 0 ? named : named.slice(0, colon),
    ...(colon >= 0 && { tag: named.slice(colon + 1) }),
    ...(at >= 0 && { digest: text.slice(at + 1) }),
  };
}

/** The digest a reference ends with; undefined of one without, which names whatever its tag holds. */
export function digestIn(reference: string): Digest | undefined {
  const { digest } = referenceParts(reference);
  return isDigest(digest) ? digest : undefined;
}

/** Writes a reference out in full: `docker.io/library/python:3.8@sha256:…`. The inverse of {@link parseReference}. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/**
 * The short form under which BuildKit looks a FROM reference up among the named contexts: `docker.io/` and `library/`
 * dropped, and a `:latest` at the very end too. Source: distribution's `reference.FamiliarString` and BuildKit's
 * `dockerui` named contexts.
 */
export function familiarName(reference: Reference): string {
  const { registry, repository } = reference;
  const official = /^library\/([^/]+)$/.exec(repository)?.[1];
  const name = registry === dockerHub ? (official ?? repository) : `${registry}/${repository}`;
  return `${name}${suffix(reference)}`.replace(/:latest$/, "");
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

function parseName(text: string, name: string): Pick<Reference, "registry" | "repository"> {
  const [first = "", ...rest] = name.split("/");
  // Docker's rule: the first part is a host if it could not be a part of a path.
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const given = isHost ? first : dockerHub;
  const registry = given === "index.docker.io" ? dockerHub : given;
  const path = isHost ? rest.join("/") : name;
  const repository = registry === dockerHub && !path.includes("/") ? `library/${path}` : path;
  const port = registryPattern.exec(registry)?.[1];
  if (!registryPattern.test(registry) || (port !== undefined && (Number(port) < 1 || Number(port) > 65535))) {
    throw refusal(text, `registry ${JSON.stringify(registry)}`, "a host name or address with an optional port");
  }
  if (!repositoryPattern.test(path) || repository.length > longestRepository) {
    const accepted = `at most ${longestRepository} characters: parts of a-z 0-9, joined by . _ __ or dashes, between slashes`;
    throw refusal(text, `repository ${JSON.stringify(path)}`, accepted);
  }
  if (!isHost && /^[0-9a-f]{64}$/.test(path)) {
    throw refusal(text, "64 hex digits, which Docker takes for an image ID", "a repository name");
  }
  return { registry, repository };
}

function refusal(text: string, fault: string, accepted: string): Error {
  return new Error(`${JSON.stringify(text)} is not an image reference: ${fault}; accepted is ${accepted}`);
}

/**
 * Whether a host name, without port, is this machine: `localhost`, 127.0.0.0/8 or `::1`, with or without brackets.
 * Only such hosts are spoken to in plain HTTP.
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1|\[::1\])$/i.test(hostname);
}

/** Where all repositories of a stack are: a registry, and the path in it under which every app has its own. */
export interface RepositorySpace {
  /** Host, with a port where one is given. */
  readonly registry: string;
  readonly namespace: string;
}

/** The repository of an app, `registry/namespace/app`: the form in which repositories are handed around and recorded. */
export function repositoryOf({ registry, namespace }: RepositorySpace, app: string): string {
  return `${registry}/${namespace}/${app}`;
}

/** The app a repository is of. */
export function appOf(repository: string): string {
  return repository.slice(repository.lastIndexOf("/") + 1);
}

/** The repository of another app of the same stack. */
export function siblingOf(repository: string, app: string): string {
  return `${repository.slice(0, repository.lastIndexOf("/"))}/${app}`;
}
