import type { AuthenticationOptions } from "./authentication";
import type { Engine } from "./engine";
import type { FaultRule } from "./faultRule";
import type { RegistryKind } from "./registry";
import type { ProfileName } from "./registryProfiles";

/** How to start a sandbox; everything has a default. */
export interface SandboxOptions {
  /** Folder of all its state; default: one in the user's cache, of this checkout's own. */
  readonly dir?: string;
  /** Default `distribution`, or `olareg` to play a registry with the referrers API. */
  readonly registry?: RegistryKind;
  /** The registry whose answers are played. Default: those of the registry that runs. */
  readonly registryProfile?: ProfileName;
  /** Name clients know the registry by, over TLS and through a proxy of the sandbox's own; default: `localhost` and a port. Not with an engine. */
  readonly registryName?: string;
  /** Manifests no tag leads to are collected so many seconds after they were written; of olareg only. Default: never. */
  readonly collectAfter?: number;
  /** Builders by name, with the platforms each builds (none named: all); default one, `mirror`. An empty object: no builder. */
  readonly builders?: Readonly<Record<string, readonly string[]>>;
  /** It serves and nothing else, without the mirror's programs: enough to look what is missing. Default false; true takes no builder. */
  readonly onlyServe?: boolean;
  /** Runs registry and builders, which then need neither programs nor root. Default: programs of this machine are run. */
  readonly engine?: Engine;
  /** Fault rules in force from the start. */
  readonly rules?: readonly FaultRule[];
  /** Milliseconds added before every registry request. Default 0. */
  readonly latencyMs?: number;
  /** Default: the registry takes everybody. */
  readonly authentication?: AuthenticationOptions;
  /** Puts each builder's data on a memory file system of this size. Of no effect in an engine. */
  readonly builderDiskMegabytes?: number;
  /** Build steps a builder runs at once. Default: all, as in production: steps that never end would keep those of others waiting. */
  readonly maxParallelism?: number;
  /** Hears of every step. */
  readonly progress?: (line: string) => void;
}
