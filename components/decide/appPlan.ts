import type { RecordedImage } from "../model/buildRecord";
import type { VersionRecord } from "../model/versionRecord";
import type { AppSpecification } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import type { Wait } from "./backoff";
import type { FloatingTagMove } from "./floatingTags";
import type { PerPlatform, Platform } from "../model/platform";
import type { OfficialPlatforms, PublishedFloatingTag, PublishedVersion } from "../model/published";
import type { RejectedTag, Release } from "../model/release";
import type { VersionPlan } from "./versionPlan";

/** A named context of a build: a reference by digest, or the image of another app built in this very run. */
export type NamedContext =
  | { readonly kind: "reference"; readonly location: string }
  | { readonly kind: "image"; readonly app: string; readonly version: string };

/** A base image as it was resolved: for labels, provenance and to tell our layers from the base's. */
export interface ResolvedBase {
  /** The reference as the Dockerfile writes it, ARGs expanded. */
  readonly reference: string;
  /** What the build used instead: `name@sha256:…`. */
  readonly pinned: string;
  readonly digest: Digest;
  /** The base of the final stage. */
  readonly final: boolean;
  /** Layers of the base for this platform, lowest first. Final base only. */
  readonly layers?: readonly Digest[];
}

/** Everything needed to build one (version, platform): finished, checked data. */
export interface BuildRecipe {
  readonly platform: Platform;
  /** BuildKit context: `<repo>.git?tag=…&checksum=<commit>[&subdir=…]`. */
  readonly context: string;
  /**
   * Path of the Dockerfile, relative to the repository (ours: to the project), and its checksum; its text, unless BuildKit
   * finds it by itself in the context.
   */
  readonly dockerfile: { readonly path: string; readonly sha256: string; readonly inline?: string };
  /** The image that reads the Dockerfile, where it names one. */
  readonly frontend?: { readonly reference: string; readonly pinned: string; readonly digest: Digest };
  readonly target?: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly namedContexts: Readonly<Record<string, NamedContext>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly bases: readonly ResolvedBase[];
  /** When the final stage is built on an image of this mirror: the key of its named context, and its tag, published or not. */
  readonly finalBase?: { readonly context: string; readonly name: string };
  /** How the image is exported, where the state has an image of this name: spelled as there, or anew if the registry has lost it. */
  readonly exported?: string;
  /** Checksum of each required file by URL, where it is known. */
  readonly fileChecksums: Readonly<Record<string, Digest>>;
  /** How long the build may take. */
  readonly limitSeconds: number;
}

/** An image another version is built on, pushed by digest and never tagged. */
export interface UnpublishedBase {
  readonly app: string;
  readonly version: string;
  /** Repository it is pushed to, by digest. */
  readonly repository: string;
  readonly recipes: readonly BuildRecipe[];
}

/** One version of an app with everything that is known and decided about it. */
export interface PlannedVersion {
  readonly version: string;
  /** The version's tag in the mirror. */
  readonly tag: string;
  /** Undefined for managed versions whose release is no longer listed upstream. */
  readonly release?: Release;
  readonly managed?: PublishedVersion;
  /** The last run recorded nothing of it. */
  readonly unrecorded?: true;
  /** The commit that was recorded for the version first; stays, wherever the upstream tag goes. */
  readonly recordedCommit?: string;
  readonly plan: VersionPlan;
  /** One per platform in `plan.build`. */
  readonly recipes: readonly BuildRecipe[];
  readonly unpublishedBases: readonly UnpublishedBase[];
  /** Image resources of unpublished bases that exist already: app → platform → digest. */
  readonly keptBases: Readonly<Record<string, PerPlatform<Digest>>>;
  /** What an operator should know about the builds of this version. */
  readonly warnings: readonly string[];
  /** Platforms upstream does not offer for this version, or that cannot be told, with the reason. */
  readonly notOffered: PerPlatform<string>;
  /** Wanted platforms this run does not deal with, as it was asked for others. */
  readonly elsewhere?: readonly Platform[];
  /** Platforms upstream publishes itself. */
  readonly official: readonly Platform[];
  /** Platform manifests that need no build, by digest: upstream's own, to be copied. */
  readonly copies: PerPlatform<string>;
  /** Platforms that others published, which its mirror record says: the stack is told to take them over, or once was. */
  readonly adopted: readonly Platform[];
  /** The stack is told to take over what others published, signed or not. */
  readonly adopting: boolean;
  /** Manifests that are ours, signed or not: those this stack's state says it built, and upstream's own where they are copied. */
  readonly known: readonly Digest[];
  /** What build runs handed over and nothing speaks against. */
  readonly records: PerPlatform<RecordedImage>;
  /** The release the version stands for, from where its source really comes; undefined when upstream no longer lists it. */
  readonly upstream?: VersionRecord["upstream"];
  /** Upstream's own index, by digest, when all of it is copied and nothing else goes into the version. */
  readonly copiedIndex?: string;
  readonly inWindow: boolean;
  /** Platforms without which it is not complete; none of those that are left to upstream. */
  readonly required: readonly Platform[];
  /** Nothing of it is here or is to be: upstream publishes all wanted platforms, and the app leaves these to it. */
  readonly left?: true;
  /** Until when the version is left alone, after builds that failed; undefined: it is not. */
  readonly waiting?: Wait;
  /** What the state says the version's Index was last written from, where that matters. */
  readonly written?: readonly string[];
  /** An earlier run declared the version's attestations. */
  readonly attested: boolean;
  /** What is done about its attestations; undefined: nothing is declared. */
  readonly attestation?: PlannedAttestation;
  /** What is done about what upstream attached to what was copied; undefined: nothing is declared. */
  readonly referrers?: PlannedReferrers;
}

/** A planned version without its name and state, of which nothing is known and for which nothing is to be done. */
export const nothingPlanned = {
  recipes: [],
  unpublishedBases: [],
  keptBases: {},
  warnings: [],
  notOffered: {},
  official: [],
  copies: {},
  adopted: [],
  adopting: false,
  known: [],
  records: {},
  inWindow: true,
  required: [],
  attested: false,
} satisfies Omit<PlannedVersion, "version" | "tag" | "plan">;

/** What is done about the referrers of manifests copied from upstream's own image. */
export interface PlannedReferrers {
  readonly mode: AttestationMode;
  /** What is missing, in a few words each. */
  readonly gaps: readonly string[];
  /** Upstream's repository, with its registry; undefined when nothing is to be copied. */
  readonly from?: string;
  /** The copied manifests. */
  readonly digests: readonly Digest[];
  /** An earlier run declared that they are copied. */
  readonly declared: boolean;
  readonly problem?: string;
}

/** What is done about a version's attestations. */
export interface PlannedAttestation {
  readonly mode: AttestationMode;
  /** What is missing, in a few words each. */
  readonly gaps: readonly string[];
  /** Platforms whose own SBOM is missing: work for the build phase, as it means unpacking the image. */
  readonly scans: readonly Platform[];
  /** How the version came to be, where nothing of it is made in this run. */
  readonly record?: VersionRecord;
  readonly problem?: string;
}

/** What is to be done about a floating tag, and what this stack recorded when it last wrote it. */
export interface PlannedFloatingTag extends FloatingTagMove {
  readonly managed?: PublishedFloatingTag;
  /** What the state says its Index was last written from, where that matters. */
  readonly written?: readonly string[];
}

/** One app with everything that is known and decided about it. */
export interface AppPlan {
  readonly specification: AppSpecification;
  /** `registry/namespace/name`. */
  readonly repository: string;
  readonly platforms: readonly Platform[];
  /** Highest version first. */
  readonly versions: readonly PlannedVersion[];
  readonly floatingTags: readonly PlannedFloatingTag[];
  /** The versions to keep complete, and all upstream lists, where it lists any; undefined: they could not be learnt. */
  readonly window?: { readonly kept: readonly string[]; readonly listed?: readonly string[] };
  readonly rejected: readonly RejectedTag[];
  readonly notes: readonly string[];
  /** Platforms of upstream's own images, to be recorded, and what upstream did about them, a line each. */
  readonly official?: { readonly platforms: OfficialPlatforms; readonly changes: readonly string[] };
  /** Failures of the app as a whole (discovery, probing of floating tags). Those of versions are in their plans. */
  readonly problems: readonly string[];
  /** This run does not deal with the app: nobody was asked about it, and it is as the last run left it. */
  readonly frozen?: true;
}

/**
 * What is done about a version's attestations in this run. `fresh`: its index is written in this run. `repair`: something
 * is missing. `keep`: complete, and declared as the state has it, so that nothing runs and no preview shows a delete.
 * `none`: no resource.
 */
export type AttestationMode = "fresh" | "repair" | "keep" | "none";
