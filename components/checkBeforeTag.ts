import { type CheckReport, checkImage, type CheckRequest } from "./check/checkImage";
import { type Builder, builderFor } from "./config/builder";
import { parseDigest } from "./plan/digest";
import type { RegistryReader } from "./check/registryReader";
import { buildTarget } from "./survey/buildTarget";
import type { ImageToCheck } from "./versionEdges";

/**
 * Checks a platform's image before its version gets a tag. An image built in this run is run as well, and compared with the
 * file it must contain; one that another run built and handed over, or that upstream published, is only looked at: this machine
 * need not be able to run it, and the run that built it did.
 * @throws CheckError with every problem found.
 */
export async function checkBeforeTag(
  image: ImageToCheck,
  registry: RegistryReader,
  builder: Builder,
): Promise<CheckReport> {
  const { reference, platform, recipe, specification } = image;
  const [repository = "", digest = ""] = reference.split("@");
  return checkImage({
    registry,
    repository,
    digest: parseDigest(digest),
    platform,
    builder: builderFor(builder, platform),
    environment: process.env,
    baseLayers: recipe?.bases.find(({ final }) => final)?.layers ?? [],
    ...(specification.foreign && { foreign: specification.foreign }),
    ...(recipe && expectations(image)),
  });
}

/** What the app's own file expects of an image: the answer of the smoke command, and the file it must contain. */
function expectations({
  planned,
  platform,
  specification,
  recipe,
}: ImageToCheck): Pick<CheckRequest, "smoke" | "identical"> {
  if (!planned.release) return {};
  const target = buildTarget(planned.release, platform);
  const { smoke, identical } = specification;
  const ran = smoke && { smoke: { command: smoke.command, expect: smoke.expect(target) } };
  if (!identical) return { ...ran };
  const source = identical.file(target);
  const checksum = recipe?.fileChecksums[source];
  if (checksum === undefined) {
    throw new Error(`the checksum of ${source}, which ${identical.path} must be identical to, is not known`);
  }
  return {
    ...ran,
    identical: { path: identical.path, checksum, source, ...(identical.replaces && { replaces: true }) },
  };
}
