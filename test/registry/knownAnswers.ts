import type { Reply } from "./fakeRegistry";

/** What a registry answers to the question for a manifest that is not there, or that it does not show. */
export interface KnownAnswer {
  /** As `docs/registries.md` names it. */
  readonly registry: string;
  readonly when: string;
  readonly reply: Reply;
  readonly means: "absent" | "authorisation" | "rate-limited" | "malformed" | "outage";
}

function json(status: number, body: unknown): Reply {
  return { status, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

function error(code: string, message: string, detail?: unknown): unknown {
  return { errors: [{ code, message, ...(detail !== undefined && { detail }) }] };
}

const page: Reply = { status: 404, body: "<html>Not Found</html>", headers: { "content-type": "text/html" } };
const noTag = "the tag does not exist";
const noRepository = "the repository does not exist";

/** The answers of the registries people run, as their documentation, sources and users' reports have them: one list for tests and for `docs/registries.md`. */
export const knownAnswers: readonly KnownAnswer[] = [
  { registry: "GHCR", when: noTag, reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown")), means: "absent" },
  { registry: "GHCR", when: noRepository, reply: json(403, error("DENIED", "denied")), means: "authorisation" },
  {
    registry: "Docker Hub",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", "unknown tag=1")),
    means: "absent",
  },
  {
    registry: "Docker Hub",
    when: "too many pulls",
    reply: json(429, error("TOOMANYREQUESTS", "You have reached your pull rate limit.")),
    means: "rate-limited",
  },
  {
    registry: "Quay",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", {})),
    means: "absent",
  },
  {
    registry: "Quay",
    when: "the tag has run out",
    reply: json(404, error("TAG_EXPIRED", "Tag 1 was deleted or has expired. To pull, revive via time machine")),
    means: "absent",
  },
  {
    registry: "Quay",
    when: noRepository,
    reply: json(401, error("UNAUTHORIZED", "access to the requested resource is not authorized", {})),
    means: "authorisation",
  },
  {
    registry: "Harbor",
    when: noTag,
    reply: json(404, error("NOT_FOUND", "artifact o/a:1 not found")),
    means: "absent",
  },
  {
    registry: "Harbor",
    when: "the project does not exist",
    reply: json(401, error("UNAUTHORIZED", "unauthorized to access repository: o/a, action: pull")),
    means: "authorisation",
  },
  {
    registry: "GitLab",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", {})),
    means: "absent",
  },
  {
    registry: "GitLab",
    when: noRepository,
    reply: json(404, error("NAME_UNKNOWN", "repository name not known to registry")),
    means: "absent",
  },
  {
    registry: "Artifactory",
    when: noTag,
    reply: json(
      404,
      error("MANIFEST_UNKNOWN", "The named manifest is not known to the registry.", { manifest: "o/a/1" }),
    ),
    means: "absent",
  },
  {
    registry: "Artifactory",
    when: "the error has a status and no code",
    reply: json(404, { errors: [{ status: 404, message: "Not Found" }] }),
    means: "absent",
  },
  { registry: "Nexus", when: noTag, reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown")), means: "absent" },
  { registry: "Nexus", when: "no registry has this address", reply: page, means: "malformed" },
  {
    registry: "ECR",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "Requested image not found")),
    means: "absent",
  },
  {
    registry: "ECR",
    when: noRepository,
    reply: json(
      404,
      error("NAME_UNKNOWN", "The repository with name 'o/a' does not exist in the registry with id '1'"),
    ),
    means: "absent",
  },
  {
    registry: "ACR",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", 'manifest tagged by "1" is not found', { Tag: "1" })),
    means: "absent",
  },
  {
    registry: "Google Artifact Registry",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", 'Failed to fetch "1"')),
    means: "absent",
  },
  {
    registry: "Google Artifact Registry",
    when: noRepository,
    reply: json(404, error("NAME_UNKNOWN", 'Repository "a" not found')),
    means: "absent",
  },
  {
    registry: "Google Artifact Registry",
    when: "the answer does not say what is missing",
    reply: json(404, error("UNKNOWN", "Not Found")),
    means: "absent",
  },
  { registry: "Gitea/Forgejo", when: noTag, reply: json(404, error("MANIFEST_UNKNOWN", "")), means: "absent" },
  {
    registry: "zot",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", { reference: "1" })),
    means: "absent",
  },
  {
    registry: "distribution 2.8",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", { Tag: "1" })),
    means: "absent",
  },
  {
    registry: "distribution 3",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", "unknown tag=1")),
    means: "absent",
  },
  {
    registry: "olareg",
    when: noTag,
    reply: json(404, error("MANIFEST_UNKNOWN", "manifest unknown", "tag or digest was not found in repository")),
    means: "absent",
  },
  {
    registry: "any",
    when: "the code is in lower case",
    reply: json(404, error("manifest_unknown", "")),
    means: "absent",
  },
  {
    registry: "any",
    when: "the message is null",
    reply: json(404, { errors: [{ code: "NAME_UNKNOWN", message: null }] }),
    means: "absent",
  },
  { registry: "any", when: "404 says UNAUTHORIZED", reply: json(404, error("UNAUTHORIZED", "")), means: "malformed" },
  {
    registry: "any",
    when: "404 says denied, in lower case",
    reply: json(404, error("denied", "")),
    means: "malformed",
  },
  {
    registry: "any",
    when: "404 says TOOMANYREQUESTS",
    reply: json(404, error("TOOMANYREQUESTS", "")),
    means: "malformed",
  },
  { registry: "any", when: "404 says UNSUPPORTED", reply: json(404, error("UNSUPPORTED", "")), means: "malformed" },
  {
    registry: "any",
    when: "one of two codes is DENIED",
    reply: json(404, { errors: [{ code: "NAME_UNKNOWN" }, { code: "DENIED" }] }),
    means: "malformed",
  },
  { registry: "any", when: "404 is empty", reply: { status: 404 }, means: "malformed" },
  { registry: "any", when: "404 is a page", reply: page, means: "malformed" },
  {
    registry: "any",
    when: "404 is JSON without errors",
    reply: json(404, { message: "no such route" }),
    means: "malformed",
  },
  { registry: "any", when: "404 lists no error", reply: json(404, { errors: [] }), means: "malformed" },
  {
    registry: "any",
    when: "404 lists what is no error",
    reply: json(404, { errors: ["not found"] }),
    means: "malformed",
  },
  { registry: "any", when: "200 is a page", reply: { ...page, status: 200 }, means: "malformed" },
];
