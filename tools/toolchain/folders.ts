import { homedir } from "node:os";
import path from "node:path";
import { checkout } from "../../components/engine/checkout";

/** Where the toolchain keeps things. Absolute paths. */
export interface Folders {
  /** Programs built or installed, shared by every checkout of the same user. */
  readonly cache: string;
  /** One link per program; this is what belongs on PATH. Each checkout has its own. */
  readonly bin: string;
  /** Translated stand-in providers. */
  readonly standIns: string;
  /** Pulumi's own folder: plugins are in `plugins`, CLIs by version in `versions`. */
  readonly pulumi: string;
  /** The Go modules, one folder per tool. */
  readonly modules: string;
}

/**
 * The folders for an environment: MIRROR_CACHE or XDG_CACHE_HOME move the cache, PULUMI_HOME the plugins.
 * What belongs to this checkout lies in its `node_modules`, so that it goes when that goes.
 */
export function folders(environment: NodeJS.ProcessEnv = process.env): Folders {
  const own = path.join(checkout, "node_modules", ".cache", "multiarch-mirror");
  const shared = path.join(given(environment["XDG_CACHE_HOME"]) ?? path.join(homedir(), ".cache"), "multiarch-mirror");
  return {
    cache: path.resolve(given(environment["MIRROR_CACHE"]) ?? shared),
    bin: path.join(own, "bin"),
    standIns: path.join(own, "providers"),
    pulumi: given(environment["PULUMI_HOME"]) ?? path.join(homedir(), ".pulumi"),
    modules: path.join(checkout, "tools", "go"),
  };
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
