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
