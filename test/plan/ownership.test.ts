import { describe, expect, it } from "vitest";
import { attestConfigSchema } from "../../components/config/attestConfig";
import { versionLabels } from "../../components/decide/labels";
import type { PlannedVersion } from "../../components/decide/appPlan";
import { type AttestationKind, predicateTypes } from "../../components/model/attestationKind";
import type { Digest } from "../../components/model/digest";
import type { Platform } from "../../components/model/platform";
import type { PresentProbe } from "../../components/model/probe";
import type { PublishedVersion } from "../../components/model/published";
import { sbomName } from "../../components/model/sbom";
import type { AttachedLists, AttestationList } from "../../components/probe/attachedAttestations";
import { planApp } from "../../components/plan/planApp";
import type { AppRequest } from "../../components/plan/planApp";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import { exampleBuild, exampleRecord } from "../attest/fixtures";
import { amd, arm, digest, FakeEdges, held, managed, release, repository, request, specification } from "./fakeEdges";

type Statement = readonly [kind: AttestationKind, predicate?: unknown];

/** What is attached to one digest and signed by us. */
function list(...ours: readonly Statement[]): AttestationList {
  const counts = { signature: 0, sbom: 0, provenance: 0, mirror: 0 };
  const bundles = ours.map(([kind, predicate = {}], position) => {
    counts[kind]++;
    const statement = { predicateType: predicateTypes[kind], predicate, certificate: undefined, logIndexes: [] };
    return { digest: digest(`bundle ${position}`), kind, statement };
  });
  return { entries: [], counts, bundles };
}

const mirror = (over: { version?: string; tag?: string; repository?: string; adopted?: string } = {}): Statement => [
  "mirror",
  {
    version: over.version ?? "1.0.0",
    image: { repository: over.repository ?? repository, tag: over.tag ?? over.version ?? "1.0.0" },
    platforms: [
      over.adopted === undefined ? { origin: "built" } : { platform: over.adopted, origin: "kept", adopted: true },
    ],
  },
];
const provenance = (version = "1.0.0"): Statement => [
  "provenance",
  { buildDefinition: { externalParameters: { version, image: { repository, tag: version } } } },
];
const signature: Statement = ["signature"];
const sbom = (platform: Platform, version = "1.0.0"): Statement => [
  "sbom",
  { name: sbomName({ repository, digest: digest(`${version} ${platform}`), platform }) },
];
const sboms = [sbom(amd), sbom(arm)];

const index = digest("1.0.0");
const [onAmd, onArm] = [amd, arm].map((platform) => digest(`1.0.0 ${platform}`)) as [Digest, Digest];
const whole = (about = mirror()): [Digest, AttestationList][] => [
  [index, list(signature, ...sboms, provenance(), about)],
  [onAmd, list(signature, sbom(amd), provenance())],
  [onArm, list(signature, sbom(arm), provenance())],
];

const imagesOnly = whole().slice(1);

interface World {
  readonly attached?: readonly [Digest, AttestationList][] | Error;
  readonly platforms?: readonly (typeof amd)[];
  readonly besides?: Partial<PresentProbe>;
  readonly record?: PublishedVersion;
  readonly adopted?: boolean;
  readonly request?: Partial<AppRequest>;
}

async function plan({ attached = [], platforms = [amd, arm], besides, record, adopted = false, request: over }: World) {
  const edges = new FakeEdges([release("1.0.0"), release("0.9.0")], {
    "1.0.0": { ...held("1.0.0", platforms), ...besides },
    "0.9.0": held("0.9.0"),
  });
  const lists = attached instanceof Error ? undefined : new Map(attached);
  const nine: AttachedLists = new Map([
    [
      digest("0.9.0"),
      list(signature, sbom(amd, "0.9.0"), sbom(arm, "0.9.0"), provenance("0.9.0"), mirror({ version: "0.9.0" })),
    ],
    ...[amd, arm].map(
      (platform) =>
        [digest(`0.9.0 ${platform}`), list(signature, sbom(platform, "0.9.0"), provenance("0.9.0"))] as const,
    ),
  ]);
  edges.attestations = {
    config: { ...attestConfigSchema.parse({ signing: { mode: "key", key: "cosign.key" } }), adopted },
    attached: (_, { indexDigest, platformDigests }) => {
      if (indexDigest === digest("0.9.0")) return Promise.resolve(nine);
      if (attached instanceof Error) return Promise.reject(attached);
      const digests = [indexDigest, ...Object.values(platformDigests)];
      return Promise.resolve(new Map(digests.map((each) => [each, lists?.get(each) ?? list()])));
    },
  };
  const published = record && { repository, floatingTags: {}, versions: { "1.0.0": record } };
  const app = await planApp(request({ ...over, ...(published && { published }) }), edges);
  return { app, edges, version: app.versions.find(({ version }) => version === "1.0.0") as PlannedVersion };
}

describe("an image that is already under a wanted tag", () => {
  it("is ours when what we signed about its index says that it is this version", async () => {
    const { version, app } = await plan({ attached: whole() });
    expect(version).toMatchObject({ plan: { state: "published" }, adopted: [] });
    expect(version.attestation).toBeUndefined();
    expect(app.floatingTags).toMatchObject([{ tag: "latest", candidates: ["1.0.0"] }]);
  });

  it("is ours with what others put into its index when our record says that it was taken over", async () => {
    const besides = { others: [digest("theirs")] };
    const { version } = await plan({ attached: whole(mirror({ adopted: amd })), besides });
    expect(version.plan.state).toBe("published");
  });

  it.each<readonly [string, World, RegExp]>([
    ["is unsigned", {}, /is not ours: nothing this mirror signed is attached to it for linux\/amd64, linux\/arm64/],
    ["is unsigned and has one platform only", { platforms: [amd] }, /for linux\/amd64;/],
    [
      "has one platform that is ours beside one that is not",
      { attached: [[onAmd, list(signature)]] },
      /for linux\/arm64;/,
    ],
    [
      "is our image of another version",
      { attached: whole(mirror({ version: "0.9.0" })) },
      /says that it is .*:0\.9\.0, version 0\.9\.0/,
    ],
    [
      "is our image of another app",
      { attached: whole(mirror({ repository: "registry.example/mirror/other" })) },
      /says that it is registry\.example\/mirror\/other/,
    ],
    [
      "is put together from our images of another version",
      {
        attached: [
          [onAmd, list(signature, provenance("0.9.0"))],
          [onArm, list(signature, provenance())],
        ],
      },
      /version 0\.9\.0/,
    ],
    ...(
      [
        ["an attestation, or what calls itself one", { others: [digest("evil")] }],
        ["a second manifest for a platform", { further: [digest("evil")] }],
        ["something that is yet to be pushed", { gone: [digest("evil")] }],
      ] as const
    ).map(([what, besides]): readonly [string, World, RegExp] => [
      `is an unsigned index of our images and ${what}`,
      { attached: imagesOnly, besides },
      new RegExp(`its index is not signed, and holds besides its images ${digest("evil")}`),
    ]),
    [
      "is an unsigned index of our images that says something of its own",
      { attached: imagesOnly, besides: { rewriteLoses: ["its annotations"] } },
      /holds besides its images its annotations/,
    ],
    [
      "is such an index that we signed when nobody looked at that, and whose record says that all of it was built here",
      { attached: whole(), besides: { rewriteLoses: ["its annotations"] } },
      /its index is signed as one this mirror built, and holds besides its images its annotations/,
    ],
    [
      "is such an index that is signed, and about which nothing is stated",
      { attached: [[index, list(signature)], ...imagesOnly], besides: { others: [digest("evil")] } },
      /its index is signed as one this mirror built, and holds besides its images sha256:/,
    ],
    [
      "is an unsigned index of one of our images and something else",
      { attached: imagesOnly, platforms: [amd], besides: { others: [digest("evil")] } },
      /holds besides its images sha256:/,
    ],
  ])(
    "is not ours when it %s: never signed, never completed, and no floating tag moves to it",
    async (_, world, why) => {
      const { app, version, edges } = await plan(world);
      expect(version.plan).toMatchObject({
        state: "not ours",
        build: [],
        problem: expect.stringMatching(why) as string,
      });
      expect(version.plan.sources).toBeUndefined();
      expect(version.attestation).toBeUndefined();
      expect(edges.prepared).toEqual([]);
      expect(app.floatingTags).toMatchObject([{ tag: "latest", candidates: ["0.9.0"] }]);
    },
  );

  it("is ours, and gets signed, when all its images are ours, as after a run that was killed", async () => {
    const { version, app } = await plan({ attached: imagesOnly });
    expect(version).toMatchObject({
      plan: { state: "published" },
      attestation: { mode: "repair", gaps: ["unsigned", "no SBOM on the index", "no provenance", "no mirror record"] },
    });
    // It may be latest once it is signed, and the one before it until then.
    expect(app.floatingTags).toMatchObject([{ tag: "latest", candidates: ["1.0.0", "0.9.0"] }]);
  });

  it("is completed when what is there is ours", async () => {
    const attached: World["attached"] = [
      [index, list(signature, sbom(amd), provenance(), mirror())],
      [onAmd, list(signature)],
    ];
    const { version } = await plan({ attached, platforms: [amd] });
    expect(version.plan).toMatchObject({ state: "partial", build: [arm] });
  });

  it("is ours unsigned where this stack's state says that it built it", async () => {
    const { version } = await plan({ record: managed("1.0.0") });
    expect(version).toMatchObject({
      plan: { state: "published" },
      attestation: { mode: "repair" },
      known: [onAmd, onArm],
    });
  });

  it("is ours unsigned where it is upstream's own image, which the app copies", async () => {
    const official = { reference: () => "docker.io/upstream/app:1.0.0", whenUpstreamHasPlatform: "copy" } as const;
    const app = { ...specification, official };
    const whole = { ...held("1.0.0"), others: [digest("attestation")], rewriteLoses: ["its annotations"] };
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": whole, "docker.io/upstream/app:1.0.0": whole });
    edges.missingReferrers = () => Promise.resolve([]);
    edges.attestations = {
      config: attestConfigSchema.parse({ signing: { mode: "key", key: "cosign.key" } }),
      attached: () => Promise.resolve(new Map()),
    };
    const { versions } = await planApp(request({ specification: app }), edges);
    const from = (platform: string) => ({
      origin: "copied",
      from: `docker.io/upstream/app@${digest(`1.0.0 ${platform}`)}`,
    });
    expect(versions[0]).toMatchObject({
      plan: { state: "published" },
      attestation: {
        mode: "repair",
        gaps: expect.not.arrayContaining(["no provenance"]) as unknown,
        record: { builds: [], platforms: { [amd]: from(amd), [arm]: from(arm) } },
      },
      known: [onAmd, onArm, index, digest("attestation")],
    });
  });

  it("is not ours where the state only says that it was there", async () => {
    const { version } = await plan({ record: { ...managed("1.0.0"), images: {}, origin: "completed" } });
    expect(version.plan.state).toBe("not ours");
  });

  it("is taken over by a stack or an app that says so, which its record then says of each foreign platform", async () => {
    const attached: World["attached"] = [[onArm, list(signature, sbom(arm), provenance())]];
    for (const world of [{ adopted: true }, { request: { settings: { ...request().settings, adopted: true } } }]) {
      const { version } = await plan({ attached, ...world });
      expect(version).toMatchObject({ plan: { state: "published" }, adopted: [amd], attestation: { mode: "repair" } });
      expect(version.attestation?.record).toMatchObject({
        builds: [],
        platforms: { [amd]: { origin: "kept", adopted: true }, [arm]: { origin: "kept" } },
      });
      expect(version.attestation?.gaps).toContain("no mirror record");
    }
    const refusing = { settings: { ...request().settings, adopted: false } };
    expect((await plan({ adopted: true, request: refusing })).version.plan.state).toBe("not ours");
  });

  it.each<[string, readonly Statement[], readonly string[]]>([
    ["its record says so, whatever the stack does today", [signature, mirror({ adopted: amd })], [amd]],
    ["its record says that it was not", [signature, mirror()], []],
  ])("was taken over when %s", async (_, onIndex, adopted) => {
    const attached: World["attached"] = [
      [index, list(...onIndex)],
      [onAmd, list(signature)],
    ];
    for (const adopting of [true, false])
      expect((await plan({ attached, adopted: adopting })).version).toMatchObject({ adopted, adopting });
  });

  it("was taken over by a run that was killed when its images are signed, and nothing says how they were made", async () => {
    const attached: World["attached"] = [
      [index, list(signature)],
      [onAmd, list(signature, sbom(amd))],
      [onArm, list(signature, sbom(arm), provenance())],
    ];
    const { version } = await plan({ attached, adopted: true });
    expect(version.attestation?.record?.platforms).toMatchObject({
      [amd]: { origin: "kept", adopted: true },
      [arm]: expect.not.objectContaining({ adopted: true }) as object,
    });
    expect((await plan({ attached })).version.adopted).toEqual([]);
  });

  it("is neither completed nor signed while the registry does not say whose it is", async () => {
    const { version } = await plan({ attached: new Error("503"), platforms: [amd] });
    expect(version.plan).toMatchObject({ build: [], problem: expect.stringContaining("503") as string });
    expect(version.plan.sources).toBeUndefined();
  });

  it("is nobody's to tell where nothing is signed", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0", [amd]) });
    expect((await planApp(request(), edges)).versions[0]?.plan).toMatchObject({ state: "partial", build: [arm] });
  });

  it("has its SBOM made anew where that alone is missing, as work for the build phase", async () => {
    const attached = whole().map(([each, signed]): [Digest, AttestationList] =>
      each === onArm ? [each, list(signature, provenance())] : [each, signed],
    );
    expect((await plan({ attached })).version.attestation).toMatchObject({
      gaps: ["no SBOM linux/arm64"],
      scans: [arm],
    });
  });
});

describe("an image under a wanted tag where nothing that is signed says which version it is", () => {
  const labelled = async (
    labels: object,
    attached: readonly [Digest, AttestationList][] = [],
    platformOf: (listed: Platform) => Platform = (listed) => listed,
  ) => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0"), latest: held("1.0.0") });
    if (attached.length > 0)
      edges.attestations = {
        config: attestConfigSchema.parse({ signing: { mode: "key", key: "cosign.key" }, provenance: false }),
        attached: (_, { indexDigest, platformDigests }) => {
          const digests = [indexDigest, ...Object.values(platformDigests)];
          return Promise.resolve(new Map(digests.map((each) => [each, new Map(attached).get(each) ?? list()])));
        },
      };
    const own = versionLabels(specification, "1.0.0");
    const asked: string[] = [];
    edges.said = (reference) => {
      asked.push(reference);
      const kept = Object.fromEntries(Object.entries({ ...own, ...labels }).filter(([, value]) => value));
      return Promise.resolve({ platform: platformOf(reference.endsWith(onAmd) ? amd : arm), labels: kept });
    };
    const { versions } = await planApp(request(), edges);
    return { plan: versions[0]?.plan, asked };
  };
  const other = { "org.opencontainers.image.version": "0.9.0" };
  const signed: [Digest, AttestationList][] = [index, onAmd, onArm].map((each) => [each, list(signature, ...sboms)]);

  it.each<[string, object, [Digest, AttestationList][], RegExp | undefined]>([
    ["labelled as this version, unsigned", {}, [], undefined],
    ["labelled as this version, signed", {}, signed, undefined],
    [
      "labelled as another version, unsigned",
      other,
      [],
      /linux\/amd64 is labelled .*version="0\.9\.0", wanted is "1\.0\.0"/,
    ],
    ["labelled as another version, signed without a record", other, signed, /is labelled .*version="0\.9\.0"/],
    ["labelled as another app", { "io.github.multiarch-mirror.app": "x" }, [], /app="x", wanted is "app"/],
    ["not labelled", { "io.github.multiarch-mirror.app": "" }, [], /has no label io\.github\.multiarch-mirror\.app/],
  ])("is judged by the labels of its first image: %s", async (_, labels, attached, why) => {
    const { plan, asked } = await labelled(labels, attached);
    expect(asked).toEqual([`${repository}@${onAmd}`]);
    expect(plan?.state).toBe(why ? "not ours" : "published");
    if (why) expect(plan?.problem).toMatch(why);
    else expect(plan?.problem).toBeUndefined();
  });

  it("is judged by the labels of each of its images, where its index is not signed", async () => {
    const { asked } = await labelled({}, signed.slice(1));
    expect(asked).toEqual([onAmd, onArm].map((each) => `${repository}@${each}`));
  });

  it("is not ours where its index, which is not signed, lists one of its images for another platform", async () => {
    const swapped = (listed: Platform): Platform => (listed === amd ? arm : amd);
    const { plan } = await labelled({}, signed.slice(1), swapped);
    expect(plan).toMatchObject({ state: "not ours", build: [] });
    expect(plan?.problem).toContain("its image for linux/amd64 is one for linux/arm64");
  });

  it("is not asked for labels where the state says that this stack wrote it", async () => {
    const edges = new FakeEdges([release("1.0.0")], { "1.0.0": held("1.0.0"), latest: held("1.0.0") });
    edges.said = () => Promise.reject(new Error("not to be asked"));
    const published = { repository, floatingTags: {}, versions: { "1.0.0": managed("1.0.0") } };
    const { versions } = await planApp(request({ published }), edges);
    expect(versions[0]?.plan).toMatchObject({ state: "published" });
  });
});

describe("statements that are gone", () => {
  const told = (app: { readonly notes: readonly string[] }) =>
    app.notes.filter((note) => note.startsWith("1.0.0: its "));

  it("are missing while the images carry what they are written from", async () => {
    const attached = whole().map(([each, signed]): [Digest, AttestationList] =>
      each === index ? [each, list(signature, ...sboms)] : [each, signed],
    );
    const { version, app } = await plan({ attached });
    expect(version.attestation).toMatchObject({ mode: "repair", gaps: ["no provenance", "no mirror record"] });
    expect(told(app)).toEqual([]);
  });

  it("are missing while the state or a build record has what they are written from, and told when neither has", async () => {
    const attached: World["attached"] = [
      [index, list(signature, ...sboms)],
      [onAmd, list(signature, sbom(amd))],
      [onArm, list(signature, sbom(arm))],
    ];
    const records = (["linux/amd64", "linux/arm64"] as const).map((platform) => {
      const image = { repository, digest: digest(`1.0.0 ${platform}`) };
      return { ...exampleBuild(platform), app: "app", version: "1.0.0", tag: "1.0.0", image };
    });
    const { upstream } = exampleRecord;
    const stated = composeVersionRecord({ version: "1.0.0", tag: "1.0.0", repository, upstream, records, present: {} });
    const known = await plan({ attached, record: { ...managed("1.0.0"), attested: true, record: stated } });
    expect(known.version.attestation).toMatchObject({ gaps: ["no provenance", "no mirror record"], record: stated });
    expect(told(known.app)).toEqual([]);
    const other = { ...stated, builds: records.map((build) => ({ ...build, image: { repository, digest: index } })) };
    for (const record of [undefined, other]) {
      const state = { ...managed("1.0.0"), attested: true, ...(record && { record }) };
      const unknown = await plan({ attached, record: state });
      expect(unknown.version.attestation).toEqual({ mode: "keep", gaps: [], scans: [] });
      expect(told(unknown.app)).toEqual([expect.stringContaining("its mirror record is missing")]);
    }
  });

  it.each<[string, Statement, RegExp]>([
    [
      "the provenance",
      mirror(),
      /^1\.0\.0: its provenance is missing.*To have it built and stated anew, delete its tag$/,
    ],
    ["the mirror record", provenance(), /^1\.0\.0: its mirror record is missing/],
  ])("are told, and not missing for ever, when that is gone as well: %s of an older program", async (_, left, note) => {
    const attached: World["attached"] = [
      [index, list(signature, ...sboms, left)],
      [onAmd, list(signature, sbom(amd))],
      [onArm, list(signature, sbom(arm))],
    ];
    for (const record of [undefined, { ...managed("1.0.0"), attested: true }]) {
      const { version, app } = await plan({ attached, ...(record && { record }) });
      expect(version.attestation?.gaps ?? []).toEqual([]);
      expect(version.plan.state).toBe("published");
      expect(told(app)).toEqual([expect.stringMatching(note)]);
    }
  });
});
