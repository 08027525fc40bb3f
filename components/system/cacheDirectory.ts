import { homedir } from "node:os";
import { join } from "node:path";

/** Where answers are kept that never change, such as what a commit holds, or of which can be asked whether they still hold: `$MIRROR_CACHE`, else the user's cache folder. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const { MIRROR_CACHE, XDG_CACHE_HOME } = environment;
  return MIRROR_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "multiarch-mirror");
}
