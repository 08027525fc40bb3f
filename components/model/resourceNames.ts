import { type Platform, platformSlug } from "./platform";

/** Names of the resources of an app, under which the state knows them: they must never change. */
export const resourceNames = {
  /** The component of a version, and its Index. */
  version: (app: string, version: string): string => `${app}-${version}`,
  image: (app: string, version: string, platform: Platform): string => `${app}-${version}-${platformSlug(platform)}`,
  /** The image of a base nobody publishes. */
  baseImage: (app: string, version: string, base: string, platform: Platform): string =>
    `${app}-${version}-on-${base}-${platformSlug(platform)}`,
  /** The Index of a floating tag. */
  floatingTag: (app: string, tag: string): string => `${app}-${tag}`,
} as const;
