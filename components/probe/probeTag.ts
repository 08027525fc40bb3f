import type { Configuration } from "../config/configuration";
import type { Probe, TagHolding } from "../model/probe";
import { appOf, referenceParts, repositoryOf } from "../model/reference";
import type { RegistryClient } from "../registry/registryClient";

/** What else a registry can be asked when it refuses to say what a tag holds. */
export interface RefusalEdges {
  /** Whether it accepts the credentials at all. */
  readonly accepts: () => Promise<boolean>;
  /** Makes sure that a repository may be written to; rejects when not. Undefined in a run that is to change nothing. */
  readonly mayWrite: ((repository: string) => Promise<void>) | undefined;
}

/**
 * The probe as the stack configuration wants it read: some registries refuse (403) to speak of a package that does not exist yet. Whoever
 * may write there is asked again: an upload begun makes the package, or shows who is asking. Where even then nothing is said, it
 * counts as absent for an app listed under `newPackages`, provided the same credentials are accepted by the registry itself.
 */
export async function probeFor(
  reference: string,
  registry: Pick<RegistryClient, "probe">,
  config: Pick<Configuration, "newPackages" | "registry" | "namespace">,
  { accepts, mayWrite }: RefusalEdges,
  options?: { readonly skipChildren?: boolean },
): Promise<Probe> {
  const probe = await registry.probe(reference, options);
  if (!isRefusal(probe)) return probe;
  const { name } = referenceParts(reference);
  const app = appOf(name);
  const isOwn = name === repositoryOf(config, app);
  if (mayWrite && isOwn) {
    const again = await mayWrite(name).then(
      () => registry.probe(reference, options),
      () => probe,
    );
    if (!isRefusal(again)) return again;
  }
  const isNew = isOwn && config.newPackages.includes(app);
  // A registry that does not answer this question clearly proves nothing.
  if (isNew) return (await accepts().catch(() => false)) ? { state: "absent" } : probe;
  const advice = `; where there is no package of it yet, list ${app} under newPackages`;
  return isOwn ? { ...probe, reason: `${probe.reason}${advice}` } : probe;
}

function isRefusal(probe: Probe): probe is Extract<Probe, { readonly state: "unknown" }> {
  return probe.state === "unknown" && probe.cause === "authorisation";
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
