import type { LoggedRequest } from "../../../tools/sandbox/requestLog";
import type { MirrorUnderTest } from "../../e2e/support/mirrorUnderTest";
import type { RegistryView } from "../../e2e/support/registryView";

/** What a version tag held. */
interface Holding {
  readonly digest: string;
  /** As far as it is an index that offers any. */
  readonly platforms: Readonly<Record<string, string>>;
}

/** `app:tag` → what it holds. */
export type TagDigests = Readonly<Record<string, Holding>>;

/** An upload that was begun and is given up: nobody can read anything of it. */
const ofUpload = /^\/v2\/[^?]+\/blobs\/uploads\/[^/?]+(?:\?|$)/;

/**
 * What must hold whatever goes wrong: since the watch began nothing was deleted, and every version tag there was still names the
 * digest it named, unless it has gained platforms beside those it had. The request log and another client's view of the registry are the proof. Begin it after damage done on purpose,
 * and ask it once the fault rules are cleared, since its own reading passes the fault proxy too.
 */
export class Watch {
  private constructor(
    private readonly mirror: MirrorUnderTest,
    private readonly apps: readonly string[],
    private readonly start: number,
    /** Version tags there were at the beginning. */
    readonly before: TagDigests,
  ) {}

  static async begin(mirror: MirrorUnderTest, apps: readonly string[] = ["tiny"]): Promise<Watch> {
    const before = await versionTags(mirror.registry, apps);
    return new Watch(mirror, apps, mirror.sandbox.requestLog("registry").length, before);
  }

  /** Requests to the registry since the beginning. */
  get log(): readonly LoggedRequest[] {
    return this.mirror.sandbox.requestLog("registry").slice(this.start);
  }

  /** What must not have happened and did, a line each. */
  async damage(): Promise<readonly string[]> {
    const after = await versionTags(this.mirror.registry, this.apps);
    const deletes = this.log
      .filter(({ method, path }) => method === "DELETE" && !ofUpload.test(path))
      .map(({ path }) => `DELETE ${path}`);
    const moved = Object.entries(this.before)
      .filter(([name, before]) => after[name]?.digest !== before.digest && !hasGained(before, after[name]))
      .map(([name, { digest }]) => `${name} named ${digest} and now names ${after[name]?.digest ?? "nothing"}`);
    return [...deletes, ...moved];
  }

  /** Digests of the manifests pushed to an app without a tag. */
  pushedManifests(app: string): readonly string[] {
    const pushed = this.log.filter(({ method, status }) => method === "PUT" && Number(status) < 300);
    const digests = pushed.map(({ path }) => path.split(`/${app}/manifests/`)[1] ?? "");
    return [...new Set(digests.filter((digest) => digest.startsWith("sha256:")))];
  }

  /** How often a manifest was written under a tag, answered as written. */
  tagWrites(app: string, tag: string): number {
    const path = `/${app}/manifests/${tag}`;
    return this.log.filter(
      (request) => request.method === "PUT" && request.path.endsWith(path) && Number(request.status) < 300,
    ).length;
  }
}

/** A tag regains what its index described so that nobody could pull it, and gains what is newly wanted. */
function hasGained(before: Holding, after: Holding | undefined): boolean {
  const named = (holding: Holding | undefined) =>
    Object.entries(holding?.platforms ?? {}).filter(([platform]) => platform !== "");
  const had = named(before);
  const has = Object.fromEntries(named(after));
  return Object.keys(has).length > had.length && had.every(([platform, digest]) => has[platform] === digest);
}

/** Floating tags may move, and lists of referrers grow; every other tag is a version. */
async function versionTags(registry: RegistryView, apps: readonly string[]): Promise<TagDigests> {
  const entries = apps.map(async (app) => {
    const tags = (await registry.tags(app)).filter((tag) => tag !== "latest" && !tag.startsWith("sha256-"));
    return Promise.all(
      tags.map(async (tag) => {
        const digest = await registry.digest(app, tag);
        const { platforms } = await registry.index(app, digest).catch(() => ({ platforms: {} }));
        return [`${app}:${tag}`, { digest, platforms }] as const;
      }),
    );
  });
  return Object.fromEntries((await Promise.all(entries)).flat());
}
