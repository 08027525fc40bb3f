import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { checkout } from "../../components/engine/checkout";

/** Folder all caches of the project live in: `$MIRROR_CACHE`, or `multiarch-mirror` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.MIRROR_CACHE) return resolve(env.MIRROR_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "multiarch-mirror");
}

/** Where a sandbox of this checkout keeps its state when no folder is named. Different checkouts get different folders. */
export function defaultSandboxFolder(kind = "sandbox"): string {
  return join(cacheFolder(), `${kind}-${createHash("sha256").update(checkout).digest("hex").slice(0, 10)}`);
}

/** Longest path of a unix socket Linux takes, less the longest socket name used here. */
const longestFolder = 107 - "/builder-xxxxxxxxxxxx.sock".length;

/** The files of one sandbox; everything it writes is in `folder`. */
export class Layout {
  readonly folder: string;

  /** @throws Error when the path is too long for the sockets in it. */
  constructor(folder: string) {
    this.folder = resolve(folder);
    if (this.folder.length > longestFolder)
      throw new Error(
        `sandbox folder ${JSON.stringify(this.folder)} is too long for unix sockets; at most ${longestFolder} characters`,
      );
  }

  /** Description of the running (or last) sandbox, JSON. */
  get stateFile(): string {
    return this.in("sandbox.json");
  }
  /** Names the supervisor process while it lives. */
  get lock(): string {
    return this.in("lock");
  }
  get controlSocket(): string {
    return this.in("control.sock");
  }
  get registryData(): string {
    return this.in("registry");
  }
  get repositories(): string {
    return this.in("git");
  }
  get releases(): string {
    return this.in("releases");
  }
  get files(): string {
    return this.in("files");
  }
  get logs(): string {
    return this.in("logs");
  }
  get pulumi(): string {
    return this.in("pulumi");
  }
  get keys(): string {
    return this.in("keys");
  }
  get certificates(): string {
    return this.in("tls");
  }
  get dockerConfig(): string {
    return this.in("docker");
  }
  get buildxConfig(): string {
    return this.in("buildx");
  }
  log(part: string): string {
    return this.in("logs", `${part}.log`);
  }
  requestLog(part: string): string {
    return this.in("logs", `${part}-requests.log`);
  }
  in(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }
}
