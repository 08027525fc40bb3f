import { nothingPlanned, type AppPlan, type BuildRecipe, type PlannedVersion } from "../../components/decide/appPlan";
import type { Digest } from "../../components/model/digest";
import type { VersionPlan } from "../../components/decide/versionPlan";
import type { Platform } from "../../components/model/platform";
import type { VersionServices } from "../../components/declare/versionServices";

export const repository = "registry.example/mirror/app";
export const commit = "c0ffee".padEnd(40, "0");
export const both: readonly Platform[] = ["linux/amd64", "linux/arm64"];

export const recipe = (platform: Platform, over: Partial<BuildRecipe> = {}): BuildRecipe => ({
  platform,
  context: `https://git.example/app.git?tag=v1.0.0&checksum=${commit}`,
  dockerfile: { path: "Dockerfile", sha256: "e".repeat(64) },
  buildArguments: { FLAVOUR: "plain" },
  namedContexts: {},
  labels: { "org.opencontainers.image.version": "1.0.0" },
  bases: [],
  fileChecksums: {},
  limitSeconds: 3600,
  ...over,
});

/** A version that is to be built for both platforms. */
export const planned = (over: Partial<PlannedVersion> = {}): PlannedVersion => ({
  ...nothingPlanned,
  version: "1.0.0",
  tag: "1.0.0",
  required: both,
  release: { version: "1.0.0", tag: "v1.0.0", reference: "tag", commit },
  plan: toBuild,
  recipes: both.map((platform) => recipe(platform)),
  upstream: { repository: "https://git.example/app.git", reference: "v1.0.0", kind: "tag", commit },
  ...over,
});

export const toBuild: VersionPlan = {
  state: "missing",
  build: both,
  keep: {},
  sources: both.map((platform) => ({ kind: "build", platform })),
  origin: "built",
  offers: both,
  lacking: [],
};

/** The plan of a version that is whole. */
export const whole = (digest: Digest, platforms: Readonly<Record<Platform, Digest>>): VersionPlan => ({
  state: "published",
  build: [],
  keep: {},
  origin: "adopted",
  lacking: [],
  present: { digest, platforms },
});

export const appPlan = (over: Partial<AppPlan>): AppPlan => ({
  specification: { name: "app", source: { kind: "gitTags", url: "https://git.example/app.git" } },
  repository,
  platforms: both,
  versions: [],
  floatingTags: [],
  rejected: [],
  notes: [],
  problems: [],
  ...over,
});

/** Edges of a run in which all goes well and nobody else publishes anything. */
export function services(over: Partial<VersionServices> = {}): VersionServices {
  return {
    check: () => Promise.resolve({ programs: 1 }),
    hold: () => Promise.resolve(),
    keepRecord: (record) => Promise.resolve({ record }),
    seal: () => Promise.resolve(),
    signed: () => Promise.resolve(true),
    run: { builder: { id: "https://builder.example/" }, run: { startedOn: "2026-01-01T00:00:00.000Z" } },
    lookAgain: () => Promise.resolve(undefined),
    makeWay: () => Promise.resolve(),
    imageOf: (app) => {
      throw new Error(`no image of ${app} is expected`);
    },
    phase: "all",
    attest: {
      config: { signing: { mode: "off" }, sbom: true, provenance: true, adopted: false },
      startedOn: "2026-01-01T00:00:00.000Z",
    },
    inTurn: (_, build) => build(),
    builder: () => "mirror",
    cache: () => undefined,
    ...over,
  };
}
