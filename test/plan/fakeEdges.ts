import { createHash } from "node:crypto";
import type { AppSettings } from "../../components/config/appSettings";
import type { AppSpecification } from "../../components/model/appSpecification";
import { versionLabels } from "../../components/decide/labels";
import type { Digest } from "../../components/model/digest";
import { type Platform, platformEntries } from "../../components/model/platform";
import type { PresentProbe, Probe } from "../../components/model/probe";
import type { PublishedVersion } from "../../components/model/published";
import type { Release } from "../../components/model/release";
import type { AppRequest } from "../../components/plan/planApp";
import type { BuildRequest, PlanEdges, PlatformImage } from "../../components/plan/planEdges";

export const amd: Platform = "linux/amd64";
export const arm: Platform = "linux/arm64";
export const repository = "registry.example/mirror/app";

export const specification: AppSpecification = {
  name: "app",
  source: { kind: "gitTags", url: "https://git.example/app.git" },
};

export const settings: AppSettings = {
  keep: 2,
  platforms: [amd, arm],
  platformsRequired: [amd, arm],
  exclude: [],
  buildLimitSeconds: 3600,
  minimumReleaseAgeHours: 0,
  floatingTags: ["latest"],
  immutableTags: false,
};

export const digest = (seed: string): Digest => `sha256:${createHash("sha256").update(seed).digest("hex")}`;
export const release = (version: string, commit = digest(version).slice(7, 47)): Release => ({
  version,
  tag: `v${version}`,
  reference: "tag",
  commit,
});
export const held = (version: string, platforms: readonly Platform[] = [amd, arm]): PresentProbe => ({
  state: "present",
  digest: digest(version),
  platforms: Object.fromEntries(platforms.map((platform) => [platform, digest(`${version} ${platform}`)])),
  lost: {},
  others: [],
});
export const managed = (version: string): PublishedVersion => {
  const { platforms } = held(version);
  const sources = Object.values(platforms).map((value) => `${repository}@${value}`);
  return { tag: version, digest: digest(version), platforms, origin: "built", sources, images: platforms };
};

export const request = (over: Partial<AppRequest> = {}): AppRequest => ({
  specification,
  settings,
  repository,
  ...over,
});

/** Edges that answer from tables, and write down what they were asked. */
export class FakeEdges implements PlanEdges {
  readonly probed: string[] = [];
  /** Those of them for which the index was to be believed about what it lists. */
  readonly believed: string[] = [];
  readonly prepared: BuildRequest[] = [];
  readonly now = new Date("2026-01-10T00:00:00Z");
  offer: PlanEdges["offer"] = () => Promise.resolve({ state: "offered" });
  wait: PlanEdges["wait"] = () => Promise.resolve(undefined);
  run: PlanEdges["run"] = { phase: "all", covers: () => true };
  attestations: PlanEdges["attestations"] = {
    config: { signing: { mode: "off" }, sbom: true, provenance: true, adopted: false },
    attached: () => Promise.reject(new Error("nothing is signed")),
  };
  /** As of an image this mirror built for the tag that names it. */
  said: PlanEdges["said"] = (reference) => {
    const named = reference.slice(reference.indexOf("@") + 1);
    for (const [tag, probe] of Object.entries(this.registry)) {
      if (tag === "latest" || probe.state !== "present") continue;
      const listed = platformEntries({ ...probe.misdescribed, ...probe.platforms });
      const [platform] = listed.find(([, digest]) => digest === named) ?? [];
      if (platform) return Promise.resolve({ platform, labels: versionLabels(specification, tag) });
    }
    return Promise.reject(new Error(`nothing lists ${named}`));
  };
  /** What upstream's own images hold that does not fit, by digest. */
  odd: Readonly<Record<string, readonly string[]>> = {};
  /** Images whose programs were looked at. */
  readonly looked: PlatformImage[] = [];
  misfits: PlanEdges["misfits"] = (_, image) => {
    this.looked.push(image);
    return Promise.resolve(this.odd[image.digest] ?? []);
  };
  missingReferrers: PlanEdges["missingReferrers"] = () => Promise.reject(new Error("nothing is copied"));
  /** Why nothing can be prepared. */
  unpreparable: string | undefined;

  /**
   * @param releases what upstream offers; an error when it cannot be had.
   * @param registry what tags (and digests) hold; all others are absent.
   */
  constructor(
    private readonly releases: readonly Release[] | Error,
    private readonly registry: Readonly<Record<string, Probe>> = {},
  ) {}

  discover: PlanEdges["discover"] = () =>
    this.releases instanceof Error
      ? Promise.reject(this.releases)
      : Promise.resolve({ releases: this.releases, rejected: [{ tag: "v1.0.0-rc.1", reason: "pre-release" }] });

  probe: PlanEdges["probe"] = (reference, { skipChildren = false } = {}) => {
    this.probed.push(reference);
    if (skipChildren) this.believed.push(reference);
    const name = reference.startsWith(repository) ? reference.slice(repository.length + 1) : reference;
    return Promise.resolve(this.registry[name] ?? { state: "absent" });
  };

  prepare: PlanEdges["prepare"] = (asked) => {
    if (this.unpreparable !== undefined) return Promise.reject(new Error(this.unpreparable));
    this.prepared.push(asked);
    const recipes = asked.platforms.map((platform) => ({
      platform,
      context: "",
      dockerfile: { path: "Dockerfile", sha256: "e".repeat(64) },
      buildArguments: {},
      namedContexts: {},
      labels: {},
      bases: [],
      fileChecksums: {},
      limitSeconds: 3600,
    }));
    return Promise.resolve({ recipes, unpublishedBases: [], warnings: [] });
  };
}
