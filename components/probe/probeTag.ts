import type { Configuration } from "../config/configuration";
import type { Probe, TagHolding } from "../model/probe";
import type { RegistryClient } from "../registry/registryClient";
import { repositoryOf } from "../model/repository";

/**
 * The probe as the stack configuration wants it read: some registries answer 403 for a package that does not exist yet. For an
 * app listed under `newPackages` that counts as absent, provided the same credentials are accepted by the registry itself.
 */
export async function probeFor(
  reference: string,
  registry: Pick<RegistryClient, "probe">,
  config: Pick<Configuration, "newPackages" | "registry" | "namespace">,
  accepts: () => Promise<boolean>,
  options?: { readonly skipChildren?: boolean },
): Promise<Probe> {
  const probe = await registry.probe(reference, options);
  if (probe.state !== "unknown" || probe.cause !== "authorisation") return probe;
  const isNew = config.newPackages.some((app) => reference.startsWith(`${repositoryOf(config, app)}:`));
  // A registry that does not answer this question clearly proves nothing.
  return isNew && (await accepts().catch(() => false)) ? { state: "absent" } : probe;
}

/**
 * What a tag holds; undefined when it is absent.
 * @throws Error when the registry gave no usable answer: that is not "nothing".
 */
export function holding(reference: string, probe: Probe): TagHolding | undefined {
  switch (probe.state) {
    case "present": {
      const { digest, platforms, rewriteLoses } = probe;
      return { digest, platforms, ...(rewriteLoses && { rewriteLoses }) };
    }
    case "absent":
      return undefined;
    case "unknown":
      throw new Error(`the registry gave no usable answer about ${reference} (${probe.cause}): ${probe.reason}`);
    default:
      return probe satisfies never;
  }
}
