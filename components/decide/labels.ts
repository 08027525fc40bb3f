import type { ResolvedBase } from "./appPlan";
import type { AppSpecification } from "../model/appSpecification";
import type { Release } from "../model/release";

/** What the labels of an image are made from. */
export interface LabelInput {
  readonly specification: AppSpecification;
  readonly release: Release;
  /** git URL the source came from. */
  readonly source: string;
  /** When the upstream commit was made, ISO 8601. */
  readonly committedAt: string;
  readonly bases: readonly ResolvedBase[];
}

/** Prefix of the mirror's own labels. */
const mirrorLabelPrefix = "io.github.multiarch-mirror";

/**
 * The labels of an image: the pre-defined annotation keys of the OCI image specification 1.1, of which GHCR reads source,
 * description and licenses, and the mirror's own. Deterministic: no label depends on the time or the run, so that equal
 * sources give equal images. An app's own labels win.
 */
export function imageLabels({
  specification,
  release,
  source,
  committedAt,
  bases,
}: LabelInput): Readonly<Record<string, string>> {
  const base = bases.find(({ final }) => final);
  const oci = {
    title: specification.title ?? specification.name,
    description: specification.description,
    created: committedAt,
    source: source.replace(/\.git$/, ""),
    url: specification.url,
    licenses: specification.licenses,
    "base.name": base?.reference,
    "base.digest": base?.digest,
  };
  return {
    ...prefixed("org.opencontainers.image", oci),
    ...releaseLabels(specification, release),
    ...specification.labels,
  };
}

/**
 * The labels that tell which release of which app an image is of, as every image built for it has them. They prove nothing by
 * themselves, as anybody can write them; an image without them is another one, and those of a signed image are signed.
 */
export function releaseLabels(
  specification: AppSpecification,
  { version, tag, commit }: Release,
): Readonly<Record<string, string>> {
  const own = { "upstream-tag": tag, dockerfile: specification.ownDockerfile ? "mirror" : "upstream" };
  const labels = { "org.opencontainers.image.revision": commit, ...prefixed(mirrorLabelPrefix, own) };
  return { ...versionLabels(specification, version), ...overridden(labels, specification) };
}

/** Those of them that say which version of which app it is, and nothing that changes when upstream moves a tag or the app's file is edited. */
export function versionLabels(specification: AppSpecification, version: string): Readonly<Record<string, string>> {
  const labels = { "org.opencontainers.image.version": version, [`${mirrorLabelPrefix}.app`]: specification.name };
  return overridden(labels, specification);
}

/** An app's own labels win. */
function overridden(
  labels: Readonly<Record<string, string>>,
  specification: AppSpecification,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, specification.labels?.[key] ?? value]));
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const present = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(present.map(([key, value]) => [`${prefix}.${key}`, value]));
}
