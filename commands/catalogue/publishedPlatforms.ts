import { z } from "zod";
import { type Digest, isDigest } from "../../components/model/digest";
import type { PerPlatform } from "../../components/model/platform";
import type { RegistryClient } from "../../components/registry/registryClient";
import { RegistryError } from "../../components/registry/registryError";
import type { DigestCache } from "./digestCache";

const schema = z.record(z.string(), z.custom<Digest>(isDigest));

/**
 * The images of a version by platform, read once: what a digest lists never changes.
 * @param repository with its registry. @throws RegistryError when the registry gives no usable answer, or lacks it.
 */
export function publishedPlatforms(
  repository: string,
  digest: Digest,
  { reader, cache }: { readonly reader: Pick<RegistryClient, "probe">; readonly cache: DigestCache },
): Promise<PerPlatform<Digest>> {
  return cache.of("platforms-1", [repository, digest], schema, async () => {
    const probe = await reader.probe(`${repository}@${digest}`, { skipChildren: true });
    if (probe.state === "present") return probe.platforms;
    const reason = probe.state === "unknown" ? probe.reason : "it is gone";
    throw new RegistryError("malformed", `cannot read ${repository}@${digest}: ${reason}`);
  });
}
