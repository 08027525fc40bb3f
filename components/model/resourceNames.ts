import { type Platform, platformSlug, slugPlatform } from "./platform";

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

/** What a resource is about. */
export interface ResourceSubject {
  readonly app: string;
  /** A version, or of an Index a floating tag. */
  readonly version: string;
  /** Of an image. */
  readonly platform?: Platform;
  /** Of the image of a base nobody publishes: the app that makes it. */
  readonly base?: string;
}

/**
 * Reads the name of a resource, other than a component's, as it was put together.
 * @param apps names of the apps there are: a name by itself does not say where its app ends.
 * @returns undefined when it belongs to none of them.
 */
export function subjectOf(name: string, apps: Iterable<string>): ResourceSubject | undefined {
  const owners = [...apps].filter((app) => name.startsWith(`${distinct(app)}-`));
  const [app] = owners.toSorted((left, right) => right.length - left.length);
  if (app === undefined) return undefined;
  const rest = name.slice(distinct(app).length + 1).replace(/-(?:attestation|referrers)$/, "");
  const [, about = rest, slug] = /^(.+)-(linux-[a-z0-9]+(?:-v[0-9])?)$/.exec(rest) ?? [];
  const [, version = about, base] = /^(.+?)-on-(.+)$/.exec(about) ?? [];
  return {
    ...{ app, version },
    ...(slug !== undefined && { platform: slugPlatform(slug) }),
    ...(base !== undefined && { base }),
  };
}
