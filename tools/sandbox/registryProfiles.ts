import type { Answer } from "./exchange";

/** What a registry answers to the question for a manifest that is not there, or that it does not show. */
export interface KnownAnswer {
  readonly when: string;
  readonly answer: Answer;
  /** Absent, or why nobody knows. */
  readonly means: "absent" | "authorisation" | "rate-limited" | "malformed" | "outage";
}

/** How one of the registries people run answers, as its documentation, its sources and its users' reports have it. */
export interface RegistryProfile {
  /** As `docs/registries.md` names it. */
  readonly registry: string;
  /** What makes it differ from others of its kind. */
  readonly setting?: string;
  /** The manifest does not exist. */
  readonly noManifest: KnownAnswer;
  /** The whole repository does not exist; undefined: as `noManifest`. */
  readonly noRepository?: KnownAnswer;
  /** Further answers somebody has seen. */
  readonly others?: readonly KnownAnswer[];
  /**
   * `/referrers/`: the API, no such route (404), a redirect to a web page, or an empty list whatever is attached. Where there is no
   * API, clients keep the list under a tag.
   */
  readonly referrers: "api" | "none" | "redirect" | "empty";
  /** The tag of that list, `sha256-<hex>`, names the manifest of that digest as long as there is no such tag. */
  readonly digestAsTag?: true;
  /** The refusal to write a tag that is there. */
  readonly immutable?: Answer;
  /** Save `latest`. */
  readonly latestMoves?: true;
}

function error(status: number, code: string, message: string, detail?: unknown): Answer {
  return { status, body: { errors: [{ code, message, ...(detail !== undefined && { detail }) }] } };
}

const page: Answer = { status: 404, body: "<html>Not Found</html>", headers: { "content-type": "text/html" } };

const noManifest = (answer: Answer): KnownAnswer => ({ when: "the tag does not exist", answer, means: "absent" });
const noRepository = (answer: Answer, means: KnownAnswer["means"] = "authorisation"): KnownAnswer => ({
  when: "the repository does not exist",
  answer,
  means,
});

const ecr = {
  noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "Requested image not found")),
  noRepository: noRepository(
    error(404, "NAME_UNKNOWN", "The repository with name 'o/a' does not exist in the registry with id '1'"),
    "absent",
  ),
  referrers: "api",
} as const;
const zot = {
  noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", { reference: "1" })),
  referrers: "api",
} as const;

/** Every registry the sandbox can play: one table for it, for the tests and for `docs/registries.md`. */
export const registryProfiles = {
  ghcr: {
    registry: "GHCR",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown")),
    noRepository: noRepository(error(403, "DENIED", "denied")),
    referrers: "redirect",
  },
  dockerhub: {
    registry: "Docker Hub",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", "unknown tag=1")),
    others: [
      {
        when: "too many pulls",
        answer: error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit."),
        means: "rate-limited",
      },
    ],
    referrers: "api",
  },
  quay: {
    registry: "Quay",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", {})),
    noRepository: noRepository(error(401, "UNAUTHORIZED", "access to the requested resource is not authorized", {})),
    others: [
      {
        when: "the tag has run out",
        answer: error(404, "TAG_EXPIRED", "Tag 1 was deleted or has expired. To pull, revive via time machine"),
        means: "absent",
      },
    ],
    referrers: "api",
  },
  harbor: {
    registry: "Harbor",
    noManifest: noManifest(error(404, "NOT_FOUND", "artifact o/a:1 not found")),
    others: [
      {
        when: "the project does not exist",
        answer: error(401, "UNAUTHORIZED", "unauthorized to access repository: o/a, action: pull"),
        means: "authorisation",
      },
    ],
    referrers: "api",
  },
  gitlab: {
    registry: "GitLab",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", {})),
    noRepository: noRepository(error(404, "NAME_UNKNOWN", "repository name not known to registry"), "absent"),
    referrers: "none",
    digestAsTag: true,
  },
  artifactory: {
    registry: "Artifactory",
    noManifest: {
      when: "the error has a status and no code",
      answer: { status: 404, body: { errors: [{ status: 404, message: "Not Found" }] } },
      means: "absent",
    },
    others: [
      noManifest(
        error(404, "MANIFEST_UNKNOWN", "The named manifest is not known to the registry.", { manifest: "o/a/1" }),
      ),
    ],
    referrers: "api",
  },
  nexus: {
    registry: "Nexus",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown")),
    others: [{ when: "no registry has this address", answer: page, means: "malformed" }],
    referrers: "none",
  },
  ecr: { registry: "ECR", ...ecr },
  "ecr-immutable": {
    registry: "ECR",
    setting: "tags immutable",
    ...ecr,
    immutable: error(
      400,
      "TAG_INVALID",
      "The image tag '1' already exists in the 'o/a' repository and cannot be overwritten because the repository is immutable.",
    ),
  },
  acr: {
    registry: "ACR",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", 'manifest tagged by "1" is not found', { Tag: "1" })),
    referrers: "api",
  },
  gar: {
    registry: "Google Artifact Registry",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", 'Failed to fetch "1"')),
    noRepository: noRepository(error(404, "NAME_UNKNOWN", 'Repository "a" not found'), "absent"),
    others: [
      {
        when: "the answer does not say what is missing",
        answer: error(404, "UNKNOWN", "Not Found"),
        means: "absent",
      },
    ],
    referrers: "api",
  },
  gitea: {
    registry: "Gitea/Forgejo",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "")),
    referrers: "none",
  },
  zot: { registry: "zot", ...zot },
  "zot-immutable": {
    registry: "zot",
    setting: "no right to update",
    ...zot,
    immutable: error(403, "DENIED", "requested access to the resource is denied"),
    latestMoves: true,
  },
  "distribution-2.8": {
    registry: "distribution 2.8",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", { Tag: "1" })),
    referrers: "none",
  },
  "distribution-3": {
    registry: "distribution 3",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown", "unknown tag=1")),
    referrers: "none",
  },
  olareg: {
    registry: "olareg",
    noManifest: noManifest(
      error(404, "MANIFEST_UNKNOWN", "manifest unknown", "tag or digest was not found in repository"),
    ),
    referrers: "api",
  },
  crane: {
    registry: "go-containerregistry",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "Unknown manifest")),
    noRepository: noRepository(error(404, "NAME_UNKNOWN", "Unknown name"), "absent"),
    referrers: "none",
  },
  unlisting: {
    registry: "any",
    setting: "takes referrers and lists none",
    noManifest: noManifest(error(404, "MANIFEST_UNKNOWN", "manifest unknown")),
    referrers: "empty",
  },
} as const satisfies Readonly<Record<string, RegistryProfile>>;

/** Name of a registry the sandbox can play. */
export type ProfileName = keyof typeof registryProfiles;
