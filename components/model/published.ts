import type { Digest } from "./digest";
import type { PerPlatform, Platform } from "./platform";
import type { VersionRecord } from "./versionRecord";

/**
 * What a run recorded about one version, in the stack output `published`.
 * A version whose record names resources ({@link declaresResources}) is *managed*: the stack declares them again in every run.
 */
export interface PublishedVersion {
  /** The version's tag in the mirror. */
  readonly tag: string;
  /** Digest the tag named when the run ended. */
  readonly digest: Digest;
  /** Platform manifests of that index. */
  readonly platforms: PerPlatform<Digest>;
  readonly origin: "built" | "completed" | "copied" | "adopted";
  /** Upstream commit the version was built from, where this stack knows it. */
  readonly commit?: string;
  /** What the Index resource was declared with: references by digest, in order. Managed versions only. */
  readonly sources?: readonly string[];
  /** The Image resources this stack declares, with the digest each pushed. */
  readonly images?: PerPlatform<Digest>;
  /** The version's attestations are declared by this stack. */
  readonly attested?: boolean;
  /** How it came to be, as the state has it beside those attestations. Not part of the output. */
  readonly record?: VersionRecord;
  /** This stack declares that what upstream attached to copied manifests is copied too. */
  readonly referrers?: boolean;
  /** Somebody removed the tag after the version had left the window. It stays so; only the stack still declares it. */
  readonly absent?: true;
  /** The Image resources of bases that are published nowhere: app → platform → digest. */
  readonly baseImages?: Readonly<Record<string, PerPlatform<Digest>>>;
}

/** Whether the stack has an Index or Images of the version. Others are only recorded: they were adopted. */
export function declaresResources({ sources, images = {} }: PublishedVersion): boolean {
  return sources !== undefined || Object.keys(images).length > 0;
}

/** What a run recorded about one floating tag it declares. `source` is the exact source string of its Index resource. */
export interface PublishedFloatingTag {
  readonly version: string;
  readonly digest: Digest;
  readonly source: string;
}

/** All that a run recorded about one app. */
export interface PublishedApp {
  /** `registry/namespace/name`. A record of another repository says nothing about this one. */
  readonly repository: string;
  readonly versions: Readonly<Record<string, PublishedVersion>>;
  readonly floatingTags: Readonly<Record<string, PublishedFloatingTag>>;
  /** Platforms of upstream's own images, where the app names them. */
  readonly official?: OfficialPlatforms;
}

/** Version → platforms upstream's own image of it has. */
export type OfficialPlatforms = Readonly<Record<string, readonly Platform[]>>;

/** The stack output `published`: app name → what is published. */
export type Published = Readonly<Record<string, PublishedApp>>;
