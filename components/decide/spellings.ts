import { referenceParts } from "../model/reference";

/**
 * The sources of an index that is to be written, so that they differ from those it was last written from: Pulumi writes only
 * what changed, and a tag that others moved or removed has to be written although nothing else did. The first manifest is then
 * named in the other of two equivalent ways, `name@digest` and `name:tag@digest`.
 * @param sources each `name@sha256:…`.
 * @param written what the state says; undefined when it knows nothing of the index.
 * @param tag any tag; the registry looks at the digest only.
 */
export function spelledAnew(sources: readonly string[], written: readonly string[] | undefined, tag: string): string[] {
  const [first, ...others] = sources;
  if (first === undefined || !written || !isSame(sources, written)) return [...sources];
  const { name, tag: named, digest = "" } = referenceParts(first);
  return [`${named === undefined ? `${name}:${tag}` : name}@${digest}`, ...others];
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((source, position) => source === right[position]);
}

const [plain, reordered] = [
  "type=image,push=true,push-by-digest=true,name-canonical=true,oci-mediatypes=true",
  "push=true,type=image,push-by-digest=true,name-canonical=true,oci-mediatypes=true",
];

/**
 * How an image is exported: pushed by digest, without a tag. There are two spellings, because the provider builds only what
 * has changed: an image the registry has lost is built again when its export is spelled the other way.
 * @param before the spelling in the state; undefined for a new image.
 * @param again the image is to be built although nothing else has changed.
 */
export function imageExport(before?: string, again = false): string {
  const known = before === reordered ? reordered : plain;
  if (!again) return known;
  return known === plain ? reordered : plain;
}
