import type { Wait } from "../decide/backoff";
import type { Phase } from "../config/runOptions";
import type { AppSettings } from "../config/appSettings";
import type { AppSpecification, BuildTarget } from "../model/appSpecification";
import type { BuildRecipe, UnpublishedBase } from "../decide/appPlan";
import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { Probe } from "../model/probe";
import type { CopiedManifests } from "../probe/missingReferrers";
import type { Discovery, Release } from "../model/release";
import type { Offer } from "../discover/upstreamFiles";
import type { AttestationProbe } from "../probe/attachedAttestations";

/** One version whose builds are to be prepared. */
export interface BuildRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  readonly release: Release;
  readonly platforms: readonly Platform[];
}

/** Finished recipes, and the images they need that nobody publishes. */
export interface PreparedBuild {
  readonly recipes: readonly BuildRecipe[];
  readonly unpublishedBases: readonly UnpublishedBase[];
  /** What an operator should know although the version can be built. */
  readonly warnings: readonly string[];
}

/** One platform of a published image. */
export interface PlatformImage {
  /** With its registry. */
  readonly repository: string;
  readonly digest: Digest;
  readonly platform: Platform;
  /** Where in it programs for other machines belong. */
  readonly foreign?: readonly string[];
}

/** Which part of the work this run does. */
interface RunScope {
  readonly phase: Phase;
  /** Whether the run deals with a platform at all. */
  readonly covers: (platform: Platform) => boolean;
}

/** What an image says of itself. */
interface SaidByImage {
  readonly platform: Platform;
  readonly labels: Readonly<Record<string, string>>;
}

/** The ways planning reaches the outside. All of them only read. */
export interface PlanEdges {
  /** Rejects with a telling error when the versions cannot be had. */
  readonly discover: (specification: AppSpecification, settings: AppSettings) => Promise<Discovery>;
  /**
   * Never rejects: trouble is the answer `unknown`.
   * `skipChildren`: believe an index about what it lists, where only its digest is of interest.
   */
  readonly probe: (reference: string, options?: { readonly skipChildren?: boolean }) => Promise<Probe>;
  /** What the configuration of a platform's image says of it. Rejects when the registry gives no usable answer. */
  readonly said: (reference: string) => Promise<SaidByImage>;
  readonly offer: (specification: AppSpecification, target: BuildTarget) => Promise<Offer>;
  /** Reads Dockerfile, bases and checksums. Rejects when the version cannot be built, naming file and line. */
  readonly prepare: (request: BuildRequest) => Promise<PreparedBuild>;
  readonly attestations: AttestationProbe;
  /** What upstream attached to manifests and their copies lack, in a few words each. Rejects when it cannot be told. */
  readonly missingReferrers: (copies: CopiedManifests) => Promise<readonly string[]>;
  /** What an image holds that does not fit its platform, in words; nothing where it cannot be looked at. `owner` is the app. Never rejects. */
  readonly misfits: (owner: string, image: PlatformImage) => Promise<readonly string[]>;
  /** Whether a version is left alone after earlier failures. Never rejects. */
  readonly wait: (app: string, version: string) => Promise<Wait | undefined>;
  readonly run: RunScope;
  readonly now: Date;
}
