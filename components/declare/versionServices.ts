import type * as pulumi from "@pulumi/pulumi";
import type { AttestConfig } from "../config/attestConfig";
import type { Phase } from "../config/runOptions";
import type { TrustServices } from "../attest/trustServices";
import type { BuildCache } from "./mirroredImage";
import type { PlannedVersion } from "../decide/appPlan";
import type { BuildRecord, ChecksMade, RecordedImage } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import type { RunContext } from "../model/runContext";
import type { AppSpecification } from "../model/appSpecification";
import type { Platform } from "../model/platform";
import type { TagHolding } from "../model/probe";
import type { ImageToCheck } from "../check/checkBeforeTag";

/** What the component asks of the outside world while a run goes on. */
export interface VersionServices extends Pick<TrustServices, "seal" | "signed"> {
  /** Keeps an image that has no tag yet from being collected. Never rejects: a registry that cannot be asked to may keep it all the same. */
  readonly hold: (repository: string, digest: Digest) => Promise<void>;
  /** Resolves to what was looked at and passed; rejects with the reason when the image must not get a tag. */
  readonly check: (image: ImageToCheck) => Promise<ChecksMade>;
  /**
   * Lists what the image contains and keeps its record with that list beside it, where publishing finds both.
   * @param reference where the image is, which for one to be copied is upstream's registry.
   */
  readonly keepRecord: (record: BuildRecord, reference: string) => Promise<RecordedImage>;
  /** Who builds. */
  readonly run: RunContext;
  /**
   * Looks at the tag once more, right before the index is written. Resolves to the digests by platform the tag holds by
   * now, or undefined when it is absent; rejects when the registry gives no answer.
   */
  readonly lookAgain: (tagReference: string) => Promise<TagHolding | undefined>;
  /**
   * Takes out of the builder's way what a tag names, where the registry would not let it write an index there. Never rejects: what
   * still stands in its way the builder says itself.
   * @param next what the tag is to name, where that is known.
   */
  readonly makeWay: (tagReference: string, next?: Digest) => Promise<void>;
  /** The image of another app of this run: `name@sha256:…`. */
  readonly imageOf: (app: string, version: string, platform: Platform) => pulumi.Input<string>;
  /** In phase `build` images are built and checked, and nothing gets a tag. */
  readonly phase: Phase;
  /** How versions are signed, and when the run began (ISO 8601, UTC). */
  readonly attest: { readonly config: AttestConfig; readonly startedOn: string };
  readonly builder: (platform: Platform) => string | undefined;
  /** Does the work of a build when it is the app's turn: however many builds it has, those of others are not kept waiting. */
  readonly inTurn: (app: string, build: () => Promise<unknown>) => Promise<unknown>;
  /** `name` of the image within the namespace. */
  readonly cache: (name: string, platform: Platform) => BuildCache | undefined;
}

/** Arguments of {@link MirroredVersion}. */
export interface MirroredVersionArgs {
  readonly specification: AppSpecification;
  readonly repository: string;
  readonly planned: PlannedVersion;
  readonly services: VersionServices;
}
