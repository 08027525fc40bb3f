import { describe, expect, it } from "vitest";
import { MirroredVersion } from "../../components/declare/mirroredVersion";
import type { PlannedVersion } from "../../components/decide/appPlan";
import type { VersionPlan } from "../../components/decide/versionPlan";
import type { PublishedVersion } from "../../components/model/published";
import type { VersionServices } from "../../components/declare/versionServices";
import type { VersionOutcome } from "../../components/declare/versionOutcome";
import { appPlan, both, commit, services, planned, recipe, repository, toBuild, whole } from "./plans";
import { allowRejections, digestFor, type MockBehaviour, RecordingMock } from "./recordingMock";
import { Limiter } from "../../components/system/limiter";
import type { ImageToCheck } from "../../components/check/checkBeforeTag";

allowRejections();

const image = "docker-build:index:Image";
const index = "docker-build:index:Index";
const [amd, arm] = both.map((platform) => digestFor(`app-1.0.0-${platform.replace("/", "-")}`)) as [
  `sha256:${string}`,
  `sha256:${string}`,
];
const platforms = { "linux/amd64": amd, "linux/arm64": arm };

interface Declared {
  readonly mock: RecordingMock;
  readonly outcome: VersionOutcome;
  readonly checked: readonly ImageToCheck[];
}

async function declare(
  version: PlannedVersion,
  over: Partial<VersionServices> = {},
  behaviour: MockBehaviour = {},
): Promise<Declared> {
  const mock = new RecordingMock(behaviour);
  const checked: ImageToCheck[] = [];
  const looks: (() => Promise<{ digest: `sha256:${string}`; platforms: typeof platforms } | undefined>)[] = [
    () => Promise.resolve(undefined),
    () => Promise.resolve({ digest: digestFor("app-1.0.0"), platforms }),
  ];
  const component = new MirroredVersion("app-1.0.0", {
    specification: appPlan({}).specification,
    repository,
    planned: version,
    services: services({
      check: (request) => {
        checked.push(request);
        mock.happened.push(`check ${request.platform}`);
        return Promise.resolve({ programs: 1 });
      },
      lookAgain: () => (looks.shift() as (typeof looks)[number])(),
      ...over,
    }),
  });
  const outcome = await component.ended;
  await mock.settled();
  return { mock, outcome, checked };
}

/** What the Images of `planned()` are declared with. */
const imageInputs = (platform: string): unknown => ({
  push: false,
  network: "default",
  buildOnPreview: false,
  tags: [repository],
  exports: [{ raw: "type=image,push=true,push-by-digest=true,name-canonical=true,oci-mediatypes=true" }],
  platforms: [platform],
  builder: { name: "mirror" },
  context: { location: `https://git.example/app.git?tag=v1.0.0&checksum=${commit}`, named: {} },
  buildArgs: { FLAVOUR: "plain", BUILDKIT_CACHE_MOUNT_NS: "registry.example/mirror/app" },
  labels: { "org.opencontainers.image.version": "1.0.0" },
});

describe("a version whose index does not offer what it should", () => {
  it("is a failure that no floating tag may name, and is written anew by the next run", async () => {
    const looks = [undefined, { digest: digestFor("app-1.0.0"), platforms: { "linux/arm64": arm } }];
    const { outcome } = await declare(planned({ plan: { ...toBuild, offers: both } }), {
      lookAgain: () => Promise.resolve(looks.shift()),
    });
    expect(outcome).toMatchObject({ state: "failed", incomplete: true, record: { platforms: { "linux/arm64": arm } } });
    expect(outcome).toHaveProperty("reason", expect.stringMatching(/does not offer linux\/amd64/));
    const repaired: VersionPlan = {
      ...{ state: "partial", build: [], keep: {}, lacking: [], origin: "built", offers: both },
      present: { digest: digestFor("app-1.0.0"), platforms: { "linux/arm64": arm } },
      sources: [arm, amd].map((digest) => ({ kind: "existing", digest })),
    };
    const written = [arm, amd].map((digest) => `${repository}@${digest}`);
    const held = { digest: digestFor("app-1.0.0"), platforms: { "linux/arm64": arm } };
    const second = [held, { digest: digestFor("app-1.0.0 whole"), platforms }];
    const { mock, outcome: after } = await declare(planned({ plan: repaired, recipes: [], written }), {
      lookAgain: () => Promise.resolve(second.shift()),
    });
    const [sources] = Object.values(mock.of(index)).map((inputs) => (inputs as { sources: string[] }).sources);
    expect(sources).toEqual([`${repository}:1.0.0@${arm}`, `${repository}@${amd}`]);
    expect(after).toMatchObject({ state: "published", record: { platforms } });
  });
});

describe("a version that is absent", () => {
  it("is an image per platform, pushed by digest only, and an index of these digests that carries the tag", async () => {
    const { mock, outcome } = await declare(planned());
    expect(mock.declared()).toEqual([
      `${image} app-1.0.0-linux-amd64`,
      `${image} app-1.0.0-linux-arm64`,
      `${index} app-1.0.0`,
      "multiarch-mirror:index:MirroredVersion app-1.0.0",
    ]);
    expect(mock.of(image)).toEqual({
      "app-1.0.0-linux-amd64": imageInputs("linux/amd64"),
      "app-1.0.0-linux-arm64": imageInputs("linux/arm64"),
    });
    const sources = [`${repository}@${amd}`, `${repository}@${arm}`];
    expect(mock.of(index)).toEqual({ "app-1.0.0": { tag: `${repository}:1.0.0`, sources, push: true } });
    const record: PublishedVersion = {
      ...{ tag: "1.0.0", digest: digestFor("app-1.0.0"), platforms, origin: "built", commit, sources },
      images: platforms,
    };
    expect(outcome).toEqual({ state: "published", record });
  });

  it("has every image checked before the index exists", async () => {
    const { mock, checked } = await declare(planned());
    expect(checked.map(({ reference, platform }) => [platform, reference])).toEqual([
      ["linux/amd64", `${repository}@${amd}`],
      ["linux/arm64", `${repository}@${arm}`],
    ]);
    expect(mock.happened.slice(-3).toSorted()).toEqual(
      ["check linux/amd64", "check linux/arm64", `${index} app-1.0.0`].toSorted(),
    );
    expect(mock.happened.at(-1)).toBe(`${index} app-1.0.0`);
  });

  it("gets no index when a check fails, and says why", async () => {
    const { mock, outcome } = await declare(planned(), {
      check: ({ platform }) =>
        platform === "linux/arm64" ? Promise.reject(new Error("wrong machine")) : Promise.resolve({ programs: 1 }),
    });
    expect(mock.of(index)).toEqual({});
    expect(outcome).toMatchObject({ state: "failed", reason: expect.stringContaining("wrong machine") as string });
  });

  it("gets no index when a build fails, and names the platform", async () => {
    const { mock, outcome } = await declare(planned(), {}, { failing: ["app-1.0.0-linux-arm64"] });
    expect(mock.of(index)).toEqual({});
    expect(outcome).toEqual({ state: "failed", reason: "the build for linux/arm64 failed" });
  });

  it("names the platform whose build took all the time it has", async () => {
    const recipes = [recipe("linux/amd64"), recipe("linux/arm64", { limitSeconds: 0 })];
    const failing = ["app-1.0.0-linux-amd64", "app-1.0.0-linux-arm64"];
    const { outcome } = await declare(planned({ recipes }), {}, { failing });
    expect(outcome).toMatchObject({
      state: "failed",
      reason:
        "the build for linux/amd64 failed; the build for linux/arm64 took longer than 0h, the most it may (buildLimit)",
    });
  });

  it("begins each build at its turn, and takes none before what it builds on is there", async () => {
    let under = 0;
    let most = 0;
    const one = new Limiter(1);
    const contexts = { "base:1": { kind: "image", app: "base", version: "1.0.0" } } as const;
    const recipes = both.map((platform) => recipe(platform, { namedContexts: contexts }));
    const base = { app: "base", version: "1.0.0", repository: "registry.example/mirror/base" };
    const unpublishedBases = [{ ...base, recipes: both.map((platform) => recipe(platform)) }];
    const { mock, outcome } = await declare(planned({ recipes, unpublishedBases }), {
      inTurn: (_, build) =>
        one.run(async () => {
          most = Math.max(most, ++under);
          await build();
          under--;
        }),
    });
    expect(most).toBe(1);
    expect(outcome.state).toBe("published");
    expect(Object.keys(mock.of(image))).toHaveLength(4);
  });

  it("is not taken for published when the provider gives a reference without a digest", async () => {
    const { outcome } = await declare(planned(), {}, { withoutDigest: ["app-1.0.0"] });
    expect(outcome).toEqual({ state: "failed", reason: "the index could not be written" });
  });

  it("keeps what another run published in the meantime and adds only what is missing then", async () => {
    const meanwhile = digestFor("meanwhile");
    const { mock } = await declare(planned(), {
      lookAgain: () => Promise.resolve({ digest: meanwhile, platforms: { "linux/amd64": digestFor("theirs") } }),
    });
    expect(mock.of(index)["app-1.0.0"]?.sources).toEqual([`${repository}@${meanwhile}`, `${repository}@${arm}`]);
  });

  it("is not written when the registry does not say what the tag holds by then", async () => {
    const { mock, outcome } = await declare(planned(), { lookAgain: () => Promise.reject(new Error("503")) });
    expect(mock.of(index)).toEqual({});
    expect(outcome).toMatchObject({ state: "failed", reason: expect.stringContaining("503") as string });
  });

  it("in a preview is shown with an index although nothing is checked yet, and is pending", async () => {
    const { mock, outcome, checked } = await declare(planned(), {}, { preview: true });
    expect(Object.keys(mock.of(image))).toHaveLength(2);
    expect(checked).toEqual([]);
    expect(outcome).toEqual({ state: "pending" });
  });

  it("passes on target, own Dockerfile, named contexts, cache, and no builder where none is named", async () => {
    const dockerfile = { path: "apps/own.Dockerfile", sha256: "e".repeat(64), inline: "FROM scratch" };
    const namedContexts = {
      "docker.io/library/base": { kind: "reference", location: "docker-image://base@sha256:1" },
      ours: { kind: "image", app: "base", version: "1.0.0" },
    } as const;
    const frontend = { reference: "dockerfile:1", pinned: "dockerfile@sha256:2", digest: digestFor("dockerfile") };
    const recipes = both.map((platform) => recipe(platform, { target: "final", dockerfile, namedContexts, frontend }));
    const { mock } = await declare(planned({ recipes }), {
      builder: (platform) => (platform === "linux/amd64" ? undefined : "arm"),
      cache: (name, platform) => ({ from: [{ local: { src: `/cache/${name}/${platform}` } }], to: [] }),
      imageOf: (app, version, platform) => `${app}:${version} for ${platform}`,
    });
    const { builder, ...inputs } = imageInputs("linux/amd64") as { builder: unknown };
    expect(builder).toBeDefined();
    expect(mock.of(image)["app-1.0.0-linux-amd64"]).toEqual({
      ...inputs,
      target: "final",
      dockerfile: { inline: "FROM scratch" },
      buildArgs: {
        FLAVOUR: "plain",
        BUILDKIT_CACHE_MOUNT_NS: "registry.example/mirror/app",
        BUILDKIT_SYNTAX: "dockerfile@sha256:2",
      },
      cacheFrom: [{ local: { src: "/cache/app/linux/amd64" } }],
      cacheTo: [],
      context: {
        location: recipe("linux/amd64").context,
        named: {
          "docker.io/library/base": { location: "docker-image://base@sha256:1" },
          ours: { location: "docker-image://base:1.0.0 for linux/amd64" },
        },
      },
    });
    expect(mock.of(image)["app-1.0.0-linux-arm64"]?.builder).toEqual({ name: "arm" });
  });

  it("is sent to a place without an image when its base could not be built, so that it fails alone", async () => {
    const namedContexts = { ours: { kind: "image", app: "base", version: "1.0.0" } } as const;
    const { mock } = await declare(planned({ recipes: both.map((platform) => recipe(platform, { namedContexts })) }), {
      imageOf: () => Promise.reject(new Error("not built")),
    });
    expect(mock.of(image)["app-1.0.0-linux-amd64"]?.context).toMatchObject({
      named: { ours: { location: "docker-image://localhost:1/the-base-was-not-built/base:1.0.0" } },
    });
  });

  it("is copied rather than built for a platform upstream publishes itself", async () => {
    const theirs = `docker.io/upstream/app@${digestFor("theirs")}`;
    const { mock, checked } = await declare(planned({ copies: { "linux/arm64": theirs } }));
    expect(Object.keys(mock.of(image))).toEqual(["app-1.0.0-linux-amd64"]);
    expect(mock.of(index)["app-1.0.0"]?.sources).toEqual([`${repository}@${amd}`, theirs]);
    expect(checked.map(({ reference }) => reference)).toContain(theirs);
  });
});

describe("a version that is copied from upstream's own image", () => {
  const upstream = "docker.io/upstream/app";
  const copies = { "linux/amd64": `${upstream}@${amd}`, "linux/arm64": `${upstream}@${arm}` };
  const referrers = { mode: "fresh", gaps: ["x"], from: upstream, digests: [amd, arm], declared: false } as const;
  const command = "command:local:Command";
  const copy = (over: Partial<PlannedVersion> = {}) => planned({ copies, referrers, recipes: [], ...over });

  it("is upstream's index as it is, when that is all it is made from, and each platform is checked before", async () => {
    const copiedIndex = `${upstream}@${digestFor("theirs")}`;
    const { mock, checked } = await declare(copy({ copiedIndex }));
    expect(mock.of(image)).toEqual({});
    expect(mock.of(index)["app-1.0.0"]?.sources).toEqual([copiedIndex]);
    expect(checked.map(({ reference }) => reference)).toEqual(Object.values(copies));
    const preview = await declare(copy({ copiedIndex }), {}, { preview: true });
    expect(preview.mock.of(index)["app-1.0.0"]?.sources).toEqual([copiedIndex]);
  });

  it("gets what upstream attached to its manifests, once its index is there, and this is recorded", async () => {
    const { mock, outcome } = await declare(copy());
    expect(mock.of(command)["app-1.0.0-referrers"]).toEqual({
      interpreter: ["node", "components/attest/launch.cjs"],
      create: "copy-referrers",
      dir: process.cwd(),
      logging: "none",
      environment: {
        MULTIARCH_MIRROR_REFERRERS: JSON.stringify({
          from: upstream,
          to: repository,
          digests: [amd, arm],
          indexDigest: digestFor("app-1.0.0"),
          startedOn: "2026-01-01T00:00:00.000Z",
        }),
      },
    });
    expect(outcome).toMatchObject({ state: "published", record: { referrers: true } });
  });

  it("stays published, and is a failure, when that cannot be copied", async () => {
    const { outcome } = await declare(copy(), {}, { failing: ["app-1.0.0-referrers"] });
    expect(outcome).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^it is published, but without all that upstream attached to what was/) as string,
      record: { digest: digestFor("app-1.0.0") },
    });
    expect("record" in outcome && outcome.record?.referrers).toBeUndefined();
  });

  it("gets nothing of upstream's when its index is not written", async () => {
    const { mock, outcome } = await declare(copy(), { check: () => Promise.reject(new Error("wrong machine")) });
    expect(mock.of(command)).toEqual({});
    expect(outcome).toMatchObject({ state: "failed", reason: expect.stringContaining("wrong machine") as string });
  });

  it("in a preview shows what would be copied, and copies nothing", async () => {
    const { mock, outcome } = await declare(copy(), {}, { preview: true });
    expect(Object.keys(mock.of(command))).toEqual(["app-1.0.0-referrers"]);
    expect(outcome).toEqual({ state: "pending" });
  });

  it.each(["repair", "keep"] as const)("is declared with it later on too: %s", async (mode) => {
    const plan = whole(digestFor("app-1.0.0"), platforms);
    const { mock, outcome } = await declare(copy({ plan, referrers: { ...referrers, mode } }));
    expect(Object.keys(mock.of(command))).toEqual(["app-1.0.0-referrers"]);
    expect(outcome).toMatchObject({ state: "published", record: { origin: "adopted", referrers: true } });
  });

  it("is a failure when it could not be told what upstream attached", async () => {
    const plan = whole(digestFor("app-1.0.0"), platforms);
    const lost = { ...referrers, mode: "none", problem: "429" } as const;
    const { mock, outcome } = await declare(copy({ plan, referrers: lost }));
    expect(mock.of(command)).toEqual({});
    expect(outcome).toMatchObject({ state: "failed", reason: "429", record: { digest: digestFor("app-1.0.0") } });
  });
});

describe("a version that is published", () => {
  const record: PublishedVersion = {
    tag: "1.0.0",
    digest: digestFor("app-1.0.0"),
    platforms,
    origin: "built",
    commit,
    sources: [`${repository}@${amd}`, `${repository}@${arm}`],
    images: platforms,
  };

  it("and managed is declared again as recorded, unchecked, its images without any recipe", async () => {
    const plan = {
      ...whole(record.digest, platforms),
      origin: "built",
      keep: platforms,
      sources: (record.sources ?? []).map((reference) => ({ kind: "recorded", reference }) as const),
    } as const;
    const { mock, outcome, checked } = await declare(planned({ plan, recipes: [], managed: record }));
    expect(Object.keys(mock.of(image))).toEqual(["app-1.0.0-linux-amd64", "app-1.0.0-linux-arm64"]);
    expect(mock.of(image)["app-1.0.0-linux-amd64"]?.context).toEqual({ location: "https://localhost:1/published.git" });
    expect(mock.of(index)).toEqual({
      "app-1.0.0": { tag: `${repository}:1.0.0`, sources: record.sources, push: true },
    });
    expect(checked).toEqual([]);
    expect(outcome).toEqual({ state: "published", record });
  });

  it("and adopted is no resource at all", async () => {
    const { mock, outcome } = await declare(planned({ plan: whole(record.digest, platforms), recipes: [] }));
    expect(mock.declared()).toEqual(["multiarch-mirror:index:MirroredVersion app-1.0.0"]);
    const { tag, digest } = record;
    expect(outcome).toEqual({ state: "published", record: { tag, digest, platforms, origin: "adopted", commit } });
  });

  it("is extended by an index that begins with the one that exists, for which way is made", async () => {
    const ways: unknown[] = [];
    const present = { digest: digestFor("old"), platforms: { "linux/amd64": amd } };
    const { mock } = await declare(
      planned({
        plan: {
          ...{ state: "partial", build: ["linux/arm64"], keep: {}, origin: "completed", lacking: [], present },
          sources: [
            { kind: "existing", digest: present.digest },
            { kind: "build", platform: "linux/arm64" },
          ],
        },
      }),
      {
        lookAgain: () => Promise.resolve(present),
        makeWay: (...asked) => Promise.resolve(void ways.push(asked)),
      },
    );
    expect(ways).toEqual([[`${repository}:1.0.0`]]);
    expect(Object.keys(mock.of(image))).toEqual(["app-1.0.0-linux-arm64"]);
    expect(mock.of(index)["app-1.0.0"]?.sources).toEqual([`${repository}@${present.digest}`, `${repository}@${arm}`]);
  });

  it("keeps its record when it cannot be extended, and does not wait for attestations of what was not written", async () => {
    const plan: VersionPlan = {
      state: "partial",
      build: ["linux/arm64"],
      keep: {},
      origin: "completed",
      lacking: [],
      present: { digest: digestFor("old"), platforms: { "linux/amd64": amd } },
      sources: [
        { kind: "existing", digest: digestFor("old") },
        { kind: "build", platform: "linux/arm64" },
      ],
    };
    const { outcome } = await declare(
      planned({ plan, attestation: { mode: "fresh", gaps: [], scans: [] } }),
      {},
      { failing: ["app-1.0.0-linux-arm64"] },
    );
    expect(outcome).toMatchObject({ state: "failed", record: { digest: digestFor("old"), origin: "adopted" } });
  });

  it("and unknown now keeps its record, with the reason", async () => {
    const plan = { state: "unknown", build: [], keep: {}, lacking: [], problem: "500" } as const;
    const { outcome } = await declare(planned({ plan, recipes: [], managed: record }));
    expect(outcome).toMatchObject({ state: "failed", reason: "500", record: { digest: record.digest } });
  });
});

describe("the attestations of a version", () => {
  it("are a command on the digest of the index, declared after it", async () => {
    const { mock, outcome } = await declare(planned({ attestation: { mode: "fresh", gaps: [], scans: [] } }));
    const { "app-1.0.0-attestation": command } = mock.of("command:local:Command");
    expect(command).toMatchObject({ interpreter: ["node", "components/attest/launch.cjs"], create: "attest" });
    expect(JSON.parse(String(command?.["stdin"]))).toMatchObject({
      version: "1.0.0",
      platforms: { "linux/amd64": { origin: "built" }, "linux/arm64": { origin: "built" } },
      builds: both.map((platform) => ({ platform, image: { digest: platforms[platform as keyof typeof platforms] } })),
    });
    const environment = command?.environment as { readonly MULTIARCH_MIRROR_ATTEST: string };
    expect(JSON.parse(environment.MULTIARCH_MIRROR_ATTEST)).toEqual({
      labels: { "io.github.multiarch-mirror.app": "app", "org.opencontainers.image.version": "1.0.0" },
      repository,
      indexDigest: digestFor("app-1.0.0"),
      version: "1.0.0",
      tag: "1.0.0",
      known: Object.values(platforms),
      sealed: Object.values(platforms),
      sboms: {},
      config: services().attest.config,
      startedOn: "2026-01-01T00:00:00.000Z",
    });
    expect(outcome).toMatchObject({ state: "published", record: { attested: true } });
  });

  it("bring the SBOM of a platform that was there before and has none", async () => {
    const old = digestFor("theirs");
    const plan: VersionPlan = {
      ...whole(digestFor("old"), { "linux/amd64": old }),
      state: "partial",
      build: ["linux/arm64"],
      sources: [
        { kind: "existing", digest: digestFor("old") },
        { kind: "build", platform: "linux/arm64" },
      ],
    };
    const { mock } = await declare(
      planned({ plan, attestation: { mode: "fresh", gaps: [], scans: ["linux/amd64"] } }),
      { keepRecord: (record) => Promise.resolve({ record, sbom: `/sboms/${record.platform}/${record.origin}` }) },
    );
    const { "app-1.0.0-attestation": command } = mock.of("command:local:Command");
    const environment = command?.environment as { readonly MULTIARCH_MIRROR_ATTEST: string };
    expect(JSON.parse(environment.MULTIARCH_MIRROR_ATTEST)).toMatchObject({
      known: [arm],
      sealed: [arm],
      sboms: { "linux/amd64": "/sboms/linux/amd64/scanned", "linux/arm64": "/sboms/linux/arm64/built" },
    });
  });

  it.each([undefined, { mode: "none", gaps: [], scans: [] } as const])(
    "are not declared when there is nothing to do (%j)",
    async (attestation) => {
      const { mock } = await declare(planned(attestation ? { attestation } : {}));
      expect(mock.of("command:local:Command")).toEqual({});
    },
  );

  it("never sign a tag whose digest is not known", async () => {
    const { mock } = await declare(
      planned({ attestation: { mode: "fresh", gaps: [], scans: [] } }),
      {},
      { withoutDigest: ["app-1.0.0"] },
    );
    expect(mock.of("command:local:Command")).toEqual({});
  });

  it("that fail leave the version published, as a failure", async () => {
    const { outcome } = await declare(
      planned({ attestation: { mode: "fresh", gaps: [], scans: [] } }),
      {},
      { failing: ["app-1.0.0-attestation"] },
    );
    expect(outcome).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("not fully attested") as string,
      record: { digest: digestFor("app-1.0.0") },
    });
  });
});

it("leaves a version alone in phase build that waits: it repairs nothing", async () => {
  const failure = { count: 2, last: "2026-01-10T00:00:00Z", reason: "no space" };
  const waiting = { until: new Date("2026-01-11T00:00:00Z"), failure };
  const plan = { state: "missing", build: [], keep: {}, lacking: both } as const;
  const { outcome } = await declare(planned({ plan, recipes: [], waiting }), { phase: "build" });
  expect(outcome).toMatchObject({ state: "waiting", lastFailure: "no space" });
  const elsewhere = planned({ plan, recipes: [], elsewhere: both });
  expect((await declare(elsewhere, { phase: "build" })).outcome).toMatchObject({ state: "waiting" });
});

it("declares a version's plan only as far as its build is concerned in phase build", async () => {
  const { mock, outcome } = await declare(planned({ plan: toBuild }), { phase: "build" });
  expect(mock.of(index)).toEqual({});
  expect(outcome).toEqual({ state: "built", images: platforms });
});
