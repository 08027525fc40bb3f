import type { AuthenticationOptions } from "./authentication";
import type { FaultRule } from "./faultRule";
import type { RegistryKind } from "./registry";

/** How to start a sandbox; everything has a default. */
export interface SandboxOptions {
  /** Folder of all its state; default: one in the user's cache, of this checkout's own. */
  readonly dir?: string;
  /** Default `distribution`. */
  readonly registry?: RegistryKind;
  /** Builders by name, with the platforms each builds (none named: all); default one, `mirror`. An empty object: no builder. */
  readonly builders?: Readonly<Record<string, readonly string[]>>;
  /** It serves and nothing else, without the mirror's programs: enough to look what is missing. Default false; true takes no builder. */
  readonly onlyServe?: boolean;
  /** Fault rules in force from the start. */
  readonly rules?: readonly FaultRule[];
  /** Milliseconds added before every registry request. Default 0. */
  readonly latencyMs?: number;
  /** Default: the registry takes everybody. */
  readonly authentication?: AuthenticationOptions;
  /** Puts each builder's data on a memory file system of this size. */
  readonly builderDiskMegabytes?: number;
  /** Build steps a builder runs at once. Default 4. */
  readonly maxParallelism?: number;
  /** Hears of every step. */
  readonly progress?: (line: string) => void;
}
