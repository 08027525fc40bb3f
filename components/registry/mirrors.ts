import { z } from "zod";
import { parseReference } from "../model/reference";

/** Where reads of a registry really go: another registry and what to put in front of the repository, if anything. */
export interface Mirror {
  readonly registry: string;
  /** Empty, or a path with a slash at its end. */
  readonly prefix: string;
}

/** Registry host to `host[:port][/path]`. */
export type MirrorMap = Readonly<Record<string, string>>;

const variable = "MIRROR_REGISTRY_MIRRORS";
const accepted = 'accepted is a JSON object such as {"docker.io":"localhost:5000/docker.io"}';

/**
 * The mirrors to read from instead of the registries they stand for: those given, else the environment variable
 * MIRROR_REGISTRY_MIRRORS. A mirror replaces its registry altogether, answers of "absent" included; no other place is
 * asked. Meant for work without the internet and for pull-through caches.
 * @throws Error naming the value and what is accepted.
 */
export function readMirrors(given: MirrorMap | undefined, environment: NodeJS.ProcessEnv): ReadonlyMap<string, Mirror> {
  const map = given ?? parseVariable(environment[variable]);
  return new Map(
    Object.entries(map).map(([host, target]) => [
      parseMirror(host, "a registry").registry,
      parseMirror(target, "a mirror"),
    ]),
  );
}

/** Where MIRROR_REGISTRY_MIRRORS leads, as written. @throws as {@link readMirrors}. */
export function mirrorPlaces(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.values(parseVariable(environment[variable]));
}

function parseVariable(text: string | undefined): MirrorMap {
  if (!text) return {};
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`cannot use ${variable}=${JSON.stringify(text)}; ${accepted}`, { cause });
  }
}

function parseMirror(text: string, what: string): Mirror {
  const [registry = "", ...path] = text.split("/");
  try {
    // Checked as what reads will make of it.
    const { registry: host } = parseReference(`${text}/name`);
    if (host !== registry) throw new Error(`${JSON.stringify(registry)} is not a host`);
  } catch (cause) {
    throw new Error(`${JSON.stringify(text)} is not ${what}; ${accepted}`, { cause });
  }
  return { registry, prefix: path.length === 0 ? "" : `${path.join("/")}/` };
}
