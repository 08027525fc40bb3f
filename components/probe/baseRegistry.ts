import { type BaseManifest } from "../decide/basePins";
import type { Digest } from "../model/digest";
import { parseReference, type Reference } from "../model/reference";
import type { ImageManifest } from "../registry/manifest";
import type { RegistryClient } from "../registry/registryClient";
import { RegistryError } from "../registry/registryError";
import { reasonOf } from "../model/reasonOf";

/** What base resolution needs of registries: read-only. Every method rejects when there is no clear answer. */
export interface BaseRegistry {
  /** Undefined only when the registry says that there is no such manifest. Attestations are not listed as platforms. */
  lookUp(reference: string): Promise<BaseManifest | undefined>;
  /** What a platform's image is made of and says about itself. */
  image(reference: string): Promise<BaseContent>;
  /** Why an app must not use an image, given by digest; undefined where it may. */
  refusal(reference: string): Promise<string | undefined>;
}

/** A platform's image, as far as a build that uses it is concerned. */
export interface BaseContent {
  /** Lowest first. */
  readonly layers: readonly Digest[];
  /** Instructions (ONBUILD) a build that stands on the image begins with. */
  readonly triggers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the images of one app may come from. */
export interface BaseAccess {
  /** The mirror's own place, which is open through the app's `bases` only. */
  readonly registry: string;
  readonly namespace: string;
  /** Names of images that may be read with the mirror's credentials alone. */
  readonly privateBases: readonly string[];
}

/** The readers of {@link baseRegistry}. */
export interface BaseReaders {
  /** Reads with the credentials the build has. */
  readonly own: Pick<RegistryClient, "probe" | "manifest" | "imageConfig">;
  /** Reads as anybody. */
  readonly anonymous: Pick<RegistryClient, "exists">;
}

/**
 * What base resolution asks for one app, answered by registry clients; each question once per run, as versions share their bases.
 * BuildKit reads with the credentials of whoever builds, and what is built is published: so an image counts as open to an app
 * when anybody can read the very digest, or when the app lists it.
 */
export function baseRegistry({ own, anonymous }: BaseReaders, access: BaseAccess): BaseRegistry {
  return {
    lookUp: once((reference) => lookUp(own, reference)),
    image: once(async (reference) => {
      const manifest = await imageManifest(own, reference);
      const { registry, repository } = parseReference(reference);
      const { triggers, labels } = await own.imageConfig(`${registry}/${repository}`, manifest);
      return { layers: manifest.layers.map(({ digest }) => digest), triggers, labels };
    }),
    refusal: once((reference) => refusal(reference, anonymous, access)),
  };
}

function once<T>(ask: (question: string) => Promise<T>): (question: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (question) => {
    const known = answers.get(question);
    if (known) return known;
    const answer = ask(question);
    answers.set(question, answer);
    // Trouble is not an answer: the next version asks again.
    answer.catch(() => answers.delete(question));
    return answer;
  };
}

async function lookUp(registry: BaseReaders["own"], reference: string): ReturnType<BaseRegistry["lookUp"]> {
  const probe = await registry.probe(reference, { skipChildren: true });
  switch (probe.state) {
    case "absent":
      return undefined;
    case "unknown":
      throw new RegistryError(probe.cause, probe.reason);
    case "present": {
      // Builders go into an index inside the index.
      const platforms = { ...probe.misdescribed, ...probe.platforms };
      const kind = Object.values(platforms).includes(probe.digest) ? "image" : "index";
      return { kind, digest: probe.digest, platforms };
    }
    default:
      return probe satisfies never;
  }
}

async function refusal(
  reference: string,
  anonymous: BaseReaders["anonymous"],
  { registry, namespace, privateBases }: BaseAccess,
): ReturnType<BaseRegistry["refusal"]> {
  const asked = parseReference(reference);
  if (asked.registry.toLowerCase() === registry.toLowerCase() && `${asked.repository}/`.startsWith(`${namespace}/`)) {
    return "it is one of the mirror's own; an app uses those through its field `bases`";
  }
  if (privateBases.some((name) => isSameName(parseReference(name), asked))) return undefined;
  const advice = "the app's field `privateBases` has to name it if what is built from it may be published";
  try {
    if (await anonymous.exists(reference)) return undefined;
    return `without the mirror's credentials it does not exist; ${advice}`;
  } catch (error) {
    if (error instanceof RegistryError && error.kind === "authorisation")
      return `nobody can read it without the mirror's credentials; ${advice}`;
    throw new Error(`it cannot be told whether anybody can read it: ${reasonOf(error)}`, { cause: error });
  }
}

function isSameName(one: Reference, other: Reference): boolean {
  return one.registry === other.registry && one.repository === other.repository;
}

/** @throws Error when the reference is absent or names an index; RegistryError when the registry gives no answer. */
export async function imageManifest(
  registry: Pick<RegistryClient, "manifest">,
  reference: string,
): Promise<ImageManifest> {
  const manifest = await registry.manifest(reference);
  if (manifest?.kind === "image") return manifest;
  throw new Error(
    `${JSON.stringify(reference)} is ${manifest ? "an index" : "absent"}; the manifest of one platform is needed`,
  );
}
