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
export const mirrorLabelPrefix = "io.github.multiarch-mirror";

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
    version: release.version,
    created: committedAt,
    source: source.replace(/\.git$/, ""),
    revision: release.commit,
    url: specification.url,
    licenses: specification.licenses,
    "base.name": base?.reference,
    "base.digest": base?.digest,
  };
  const own = {
    app: specification.name,
    "upstream-tag": release.tag,
    dockerfile: specification.ownDockerfile ? "mirror" : "upstream",
  };
  return {
    ...prefixed("org.opencontainers.image", oci),
    ...prefixed(mirrorLabelPrefix, own),
    ...specification.labels,
  };
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const present = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(present.map(([key, value]) => [`${prefix}.${key}`, value]));
}
