import type { PerPlatform, Platform } from "./platform";

/** Where an app's versions come from. */
export type Source =
  /** Releases of a GitHub repository, `owner/name`. Drafts and pre-releases are dropped. */
  | { readonly kind: "githubReleases"; readonly repository: string }
  /** Releases of a GitLab project; the URL is its git repository's. Releases that are still to come are dropped. */
  | { readonly kind: "gitlabReleases"; readonly url: string }
  /** Releases of a repository on Gitea or Forgejo (Codeberg); the URL is its git repository's. Drafts and pre-releases are dropped. */
  | { readonly kind: "giteaReleases"; readonly url: string }
  /** Tags of any git repository; the URL is http(s) and ends in `.git`. */
  | { readonly kind: "gitTags"; readonly url: string }
  /** The head of a branch; the version is the first eight hex digits of the commit. */
  | { readonly kind: "gitBranch"; readonly url: string; readonly branch: string }
  /**
   * Tags of upstream's own image (`docker.io/owner/name`). The commit is that of the repository's tag of this name, with or without
   * `v`, else the one the image's label `org.opencontainers.image.revision` names.
   */
  | { readonly kind: "registryTags"; readonly image: string; readonly url: string }
  /**
   * Versions of a package in a registry that speaks npm's protocol. The commit is that of the repository's tag of this name, also
   * behind `v` or the package's name (`name@1.2.3`), else the one it was published from (`gitHead`). Deprecated ones are dropped.
   */
  | { readonly kind: "npm"; readonly registry: string; readonly package: string; readonly url: string }
  /** Versions of a project in a Python package index, by its JSON API (PEP 691). The commit is that of the repository's tag, as for npm. Yanked ones are dropped. */
  | { readonly kind: "pypi"; readonly registry: string; readonly package: string; readonly url: string };

/** How many versions are kept: a plain number N means the N highest. */
export type Keep =
  | number
  | {
      /** The N highest versions overall. */
      readonly latest: number;
      /** Besides these, the highest `perMinor` versions of each of … */
      readonly perMinor?: number;
      /** … the `minors` highest `major.minor` lines. */
      readonly minors?: number;
    };

/** One (version, platform) to be built, as the functions of an app file receive it. */
export interface BuildTarget {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  readonly platform: Platform;
  /** Second part of the platform: `amd64`, `arm64`, `ppc64le`. */
  readonly architecture: string;
  /** What `uname -m` answers there: `x86_64`, `aarch64`, `ppc64le`. */
  readonly machine: string;
}

/** A build argument that upstream keeps in a file, such as the version of Go in `go.mod`. */
export interface ArgumentSource {
  /** From the root of the repository. */
  readonly path: string;
  /** Its only capture is the value. Default: all of the file, without white space around it. */
  readonly pattern?: RegExp;
}

/** A file upstream publishes per platform, without which that platform cannot be built. */
export interface RequiredFile {
  readonly url: string;
  /** Expected checksum, hex, when it is known beforehand. */
  readonly sha256?: string;
  readonly sha512?: string;
  /** A published sum file (`<hex>  <name>` lines, or one bare sum) to take the checksum from. */
  readonly sums?: { readonly url: string; readonly algorithm: "sha256" | "sha512" };
  /** Build argument that receives `sha256:<hex>` of the file, for `ADD --checksum`. Needs one of the above. */
  readonly checksumArgument?: string;
}

/** Another image of the mirror, same version and platform, on which this one is built. */
export interface BaseImage {
  /** The FROM reference of the Dockerfile it stands in for, or a name of your own when the Dockerfile is yours. */
  readonly context: string;
  /** Name of the app that makes it. Its published image is used by digest; when that version is not published, the image is built and pushed without a tag. */
  readonly app: string;
}

/** Tags that move forward with the versions. `sha` gives `sha-<first eight hex digits of the commit>` per version and never moves. `commit` the same without prefix. */
export type FloatingTagRule = "latest" | "major" | "minor" | "sha" | "commit";

/**
 * One mirrored application: data, no behaviour. The functions are pure; they receive checked values only.
 * `docs/apps.md` has every field with an example; a test compares the two.
 */
export interface AppSpecification {
  /** Image name within the namespace, `[a-z0-9]+([._-][a-z0-9]+)*`; also the key in the stack config. */
  readonly name: string;
  /** Labels for people: `org.opencontainers.image.title`, `.description`, `.licenses`, `.url`. */
  readonly title?: string;
  readonly description?: string;
  readonly licenses?: string;
  readonly url?: string;
  /** Why there is a mirror of it, one sentence for the catalogue: what upstream publishes itself, and what not. */
  readonly reason?: string;
  readonly source: Source;
  /**
   * Which tags are versions: a regular expression anchored at both ends. Its only capture is the version, in numbers and dots; or
   * the group named `version` is, which may hold more, and one named `revision` after it is part of it. Default: numbers, with or
   * without `v`, and a revision such as `p20` or `+k3s1`. A suffix it spells out (`-limitless`) counts as stable.
   */
  readonly tagRule?: RegExp;
  /** Tag the version gets in the mirror: `version` (default, `1.2.3`), `upstream` (the tag as upstream wrote it). */
  readonly tagStyle?: "version" | "upstream";
  /** Sub-folder of the repository that is the build context. Default: the root. */
  readonly subdirectory?: string;
  /** Dockerfile path relative to the context, for all platforms or for each. Default `Dockerfile`. */
  readonly dockerfile?: string | PerPlatform<string>;
  /** A Dockerfile of ours, path relative to the project root, used instead of upstream's with upstream's context; for all platforms or for each. */
  readonly ownDockerfile?: string | PerPlatform<string>;
  /** Stage to build. Default: the last. */
  readonly target?: string;
  readonly buildArguments?: (target: BuildTarget) => Readonly<Record<string, string>>;
  /** Build arguments by name whose values stand in files of upstream's tree, read at the very commit. */
  readonly argumentsFromFiles?: Readonly<Record<string, ArgumentSource>>;
  readonly files?: (target: BuildTarget) => readonly RequiredFile[];
  readonly bases?: readonly BaseImage[];
  /**
   * Names of images, without tag, that its Dockerfile may use although nobody can read them without the mirror's credentials:
   * what is built from them is published.
   */
  readonly privateBases?: readonly string[];
  /** Names of images, without tag, that may read its Dockerfile (`# syntax=`) besides `docker/dockerfile`: programs that build with the mirror's credentials. */
  readonly frontends?: readonly string[];
  /** Platforms of this app; default: the stack's. */
  readonly platforms?: readonly Platform[];
  /** Platforms without which a version is not tagged. Default: all wanted. A platform upstream does not offer yet may be left out of this list and is added later. */
  readonly platformsRequired?: readonly Platform[];
  readonly floatingTags?: readonly FloatingTagRule[];
  readonly keep?: Keep;
  readonly labels?: Readonly<Record<string, string>>;
  /** A command run in the finished image on each platform; its output must match before the version gets a tag. */
  readonly smoke?: {
    /** Argument vector; the first element is the full path, or found through the image's PATH. No shell. */
    readonly command: readonly string[];
    /** What standard output or standard error must match. */
    readonly expect: (target: BuildTarget) => RegExp;
    /** How long it may take from its start, whatever it waited for before. Default 300. */
    readonly limitSeconds?: number;
  };
  /** A file of the image that must be byte for byte the given required file, whose checksum has to be known. */
  readonly identical?: {
    /** Absolute path in the image. */
    readonly path: string;
    /** Address of the required file. */
    readonly file: (target: BuildTarget) => string;
    /** The image it is built on has another file at this path: one that is the same bytes means that nothing was replaced. */
    readonly replaces?: boolean;
  };
  /** Absolute paths in the image, files or folders, where programs for other machines belong. */
  readonly foreign?: readonly string[];
  /**
   * Upstream's own image, when there is one, and what to do for platforms it already has. `build` (default) builds them all the
   * same; `copy` takes its manifests by digest, unchanged, with what is attached to them; `skip` leaves them to upstream.
   */
  readonly official?: {
    readonly reference: (release: { readonly version: string; readonly tag: string }) => string;
    readonly whenUpstreamHasPlatform?: "build" | "copy" | "skip";
  };
}
