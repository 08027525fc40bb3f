import type * as pulumi from "@pulumi/pulumi";
import type { AttestConfig } from "./attestation/attestConfig";
import type { Phase } from "./config/runOptions";
import type { BuildCache } from "./mirroredImage";
import type { BuildRecipe, PlannedVersion } from "./plan/appPlan";
import type { AppSpecification } from "./plan/appSpecification";
import type { Digest } from "./plan/digest";
import type { Platform } from "./plan/platform";

/** A platform's image that is to get a tag. */
export interface ImageToCheck {
  /** `registry/namespace/name@sha256:…`. */
  readonly reference: string;
  readonly platform: Platform;
  readonly specification: AppSpecification;
  readonly planned: PlannedVersion;
  /** How it was built; undefined for one that was handed over or copied. */
  readonly recipe?: BuildRecipe;
}

/** What a tag holds. */
export interface TagHolding {
  readonly digest: Digest;
  readonly platforms: Readonly<Record<Platform, Digest>>;
}

/** What the component asks of the outside world while a run goes on. */
export interface VersionEdges {
  /** Rejects with the reason when the image must not get a tag. */
  readonly check: (image: ImageToCheck) => Promise<void>;
  /**
   * Looks at the tag once more, right before the index is written. Resolves to the digests by platform the tag holds by
   * now, or undefined when it is absent; rejects when the registry gives no answer.
   */
  readonly lookAgain: (tagReference: string) => Promise<TagHolding | undefined>;
  /** The image of another app of this run: `name@sha256:…`. */
  readonly imageOf: (app: string, version: string, platform: Platform) => pulumi.Input<string>;
  /** In phase `build` images are built and checked, and nothing gets a tag. */
  readonly phase: Phase;
  /** How versions are signed, and when the run began (ISO 8601, UTC). */
  readonly attest: { readonly config: AttestConfig; readonly startedOn: string };
  readonly builder: (platform: Platform) => string | undefined;
  /** `name` of the image within the namespace. */
  readonly cache: (name: string, platform: Platform) => BuildCache | undefined;
}
