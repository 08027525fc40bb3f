import { type Platform, platformSlug } from "./platform";

/**
 * Names of the resources of an app, under which the state knows them: they must never change. No two things share a name, whatever
 * apps are called, because the state is looked up by type and name.
 */
export const resourceNames = {
  /** The component of a version, and its Index. */
  version: (app: string, version: string): string => `${distinct(app)}-${version}`,
  image: (app: string, version: string, platform: Platform): string =>
    `${distinct(app)}-${version}-${platformSlug(platform)}`,
  /** The image of a base nobody publishes. */
  baseImage: (app: string, version: string, base: string, platform: Platform): string =>
    `${distinct(app)}-${version}-on-${base}-${platformSlug(platform)}`,
  /** The Index of a floating tag. */
  floatingTag: (app: string, tag: string): string => `${distinct(app)}-${tag}`,
} as const;

/**
 * An app's name without the two words that names of resources are put together with: the tag `sha-c0ffee01` of app `a` is
 * not the version `c0ffee01` of app `a-sha`, nor is the image of `a` 1.0.0 on base `b` one of an app `a-1.0.0-on`.
 */
function distinct(app: string): string {
  return app.replace(/-(?=(?:sha|on)(?:-|$))/g, "~");
}
