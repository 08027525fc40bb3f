import { type AppSettings, appSettings } from "../config/appSettings";
import type { MirrorConfig } from "../config/mirrorConfig";
import type { AppSpecification, BuildTarget } from "../model/appSpecification";
import type { NamedContext } from "../decide/appPlan";
import { type Platform, type PerPlatform, platformEntries } from "../model/platform";
import { type Release, buildTarget } from "../model/release";
import { reasonOf } from "../model/reasonOf";
import type { PlanOf } from "./planApps";
import type { PlanEdges } from "./planEdges";
import { mirrorTag } from "../decide/versions";
import type { Offer } from "../discover/upstreamFiles";
import { repositoryOf } from "../model/reference";

/** An app of this mirror as the base of another: one version of it. */
export interface AppBase {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  /** `registry/namespace/name`. */
  readonly repository: string;
  /** Its tag, whether it is published under it or not. */
  readonly tagged: string;
  /** Where each platform comes from that is published, or will be in this run. Any other has to be built for the occasion. */
  readonly contexts: PerPlatform<NamedContext>;
  /** The release it is built from. Rejects when upstream has none of this version. */
  readonly release: () => Promise<Release>;
}

/** Finds the images of apps that others are built on, each version once in a run. */
export class AppBases {
  readonly #config: MirrorConfig;
  readonly #planOf: PlanOf;
  readonly #edges: Pick<PlanEdges, "probe" | "discover" | "offer">;
  readonly #found = new Map<string, Promise<AppBase>>();

  constructor(config: MirrorConfig, planOf: PlanOf, edges: Pick<PlanEdges, "probe" | "discover" | "offer">) {
    this.#config = config;
    this.#planOf = planOf;
    this.#edges = edges;
  }

  /** @throws Error saying why the version of the app is not to be had, or that the registry gave no usable answer. */
  find(app: string, version: string): Promise<AppBase> {
    const key = `${app} ${version}`;
    const found = this.#found.get(key) ?? this.#find(app, version);
    this.#found.set(key, found);
    return found;
  }

  /**
   * Whether upstream offers all that a platform's image needs: the app's own files, and those of the bases that have to be built
   * for it because they are published nowhere. Never rejects.
   */
  async offer(specification: AppSpecification, target: BuildTarget): Promise<Offer> {
    const own = await this.#edges.offer(specification, target);
    if (own.state !== "offered") return own;
    const bases = await Promise.all((specification.bases ?? []).map(({ app }) => this.#offerOf(app, target)));
    return bases.find(({ state }) => state === "unknown") ?? bases.find(({ state }) => state === "missing") ?? own;
  }

  async #offerOf(app: string, { version, platform }: BuildTarget): Promise<Offer> {
    try {
      const base = await this.find(app, version);
      if (platform in base.contexts) return { state: "offered" };
      const offer = await this.offer(base.specification, buildTarget(await base.release(), platform));
      return offer.state === "offered" ? offer : { ...offer, reason: `its base ${app} ${version}: ${offer.reason}` };
    } catch (error) {
      return { state: "unknown", reason: reasonOf(error) };
    }
  }

  async #find(app: string, version: string): Promise<AppBase> {
    const { apps, unmirrored } = this.#config;
    const configured = apps.get(app) ?? unmirrored.get(app);
    if (!configured) throw new Error(`app ${JSON.stringify(app)}, on which it builds, does not exist`);
    const { specification } = configured;
    const settings = appSettings(this.#config, specification);
    const repository = repositoryOf(this.#config, app);
    const planned = (await this.#planOf(app))?.versions.find((candidate) => candidate.version === version);
    if (planned?.plan.problem !== undefined)
      throw new Error(`its base ${app} ${version} is not available: ${planned.plan.problem}`);
    const release = async (): Promise<Release> => {
      const { releases } = await this.#edges.discover(specification, settings);
      const own = releases.find((candidate) => candidate.version === version);
      if (own) return own;
      throw new Error(`${app}, on which it builds, has no version ${version}`);
    };
    const unplanned = async () =>
      specification.tagStyle === "upstream" ? mirrorTag(specification, await release()) : version;
    const tagged = `${repository}:${planned?.tag ?? (await unplanned())}`;
    const probe = planned ? undefined : await this.#edges.probe(tagged);
    if (probe?.state === "unknown") throw new Error(`its base ${tagged} gave no usable answer: ${probe.reason}`);
    const published = planned?.plan.present?.platforms ?? (probe?.state === "present" ? probe.platforms : {});
    const built = (planned?.plan.build ?? []).map((platform): [Platform, NamedContext] => {
      const copied = planned?.copies[platform];
      return [platform, copied === undefined ? { kind: "image", app, version } : byDigest(copied)];
    });
    const held = platformEntries(published).map(([platform, digest]): [Platform, NamedContext] => [
      platform,
      byDigest(`${repository}@${digest}`),
    ]);
    return { specification, settings, repository, tagged, contexts: Object.fromEntries([...built, ...held]), release };
  }
}

function byDigest(reference: string): NamedContext {
  return { kind: "reference", location: `docker-image://${reference}` };
}
