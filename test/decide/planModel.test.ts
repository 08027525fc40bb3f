import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import type { VersionPlan } from "../../components/decide/versionPlan";
import type { Platform } from "../../components/model/platform";
import { type Circumstances, ModelRegistry } from "./modelRegistry";

const platforms = ["linux/amd64", "linux/arm64", "linux/ppc64le"] as const satisfies readonly Platform[];
const some = fc.subarray<Platform>([...platforms]);

const circumstances: fc.Arbitrary<Circumstances> = fc.record({
  wanted: fc.subarray<Platform>([...platforms], { minLength: 1 }),
  notOffered: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, some),
  inWindow: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean()),
  silent: fc.record({
    tag: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
    manifests: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, some),
  }),
  broken: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, some),
  dies: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
});

type Event =
  | { readonly kind: "lose"; readonly platform: Platform | undefined }
  | { readonly kind: "removeTag" | "forget" }
  | { readonly kind: "publish"; readonly platforms: readonly Platform[]; readonly attested: boolean }
  | { readonly kind: "run"; readonly circumstances: Circumstances };

/** A history: runs, and what others do to the registry in between. */
const history = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("run" as const), circumstances }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("lose" as const),
        platform: fc.constantFrom<Platform | undefined>(...platforms, undefined),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("removeTag" as const, "forget" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("publish" as const),
        platforms: fc.subarray<Platform>([...platforms], { minLength: 1 }),
        attested: fc.boolean(),
      }),
    },
  ),
  { maxLength: 12 },
);

/** Lets others act, and calls `judge` around every run. */
function live(registry: ModelRegistry, events: readonly Event[], judge: (run: Circumstances) => void): void {
  for (const event of events) {
    switch (event.kind) {
      case "lose":
        registry.lose(event.platform);
        break;
      case "removeTag":
        registry.removeTag();
        break;
      case "forget":
        registry.forget();
        break;
      case "publish":
        registry.publishElsewhere(event.platforms, event.attested);
        break;
      case "run":
        judge(event.circumstances);
        break;
      default:
        event satisfies never;
    }
  }
}

function always(judge: (registry: ModelRegistry, run: Circumstances) => void): void {
  fc.assert(
    fc.property(history, (events) => {
      const registry = new ModelRegistry();
      live(registry, events, (run) => judge(registry, run));
    }),
    { numRuns: 2000 },
  );
}

describe("whatever has happened to a registry, a run", () => {
  it("deletes no manifest and takes nothing that exists out of the tag, nor replaces it", () => {
    always((registry, run) => {
      const before = registry.holdings();
      const manifests = [...registry.manifests];
      registry.run(run);
      expect(manifests.filter((digest) => !registry.manifests.has(digest))).toEqual([]);
      expect(registry.holdings()).toMatchObject(before);
    });
  });

  it("never builds a platform that exists, nor anything on an answer it did not get", () => {
    always((registry, run) => {
      const before = registry.holdings();
      const { managed } = registry;
      const absent = registry.input({ ...run, silent: { tag: false, manifests: [] } }).probe.state === "absent";
      const { manifests } = registry;
      const surviving = Object.entries(managed?.sources && absent ? managed.platforms : {}).filter(([, digest]) =>
        manifests.has(digest),
      );
      const plan = registry.run(run);
      const existing = [...Object.keys(before), ...surviving.map(([platform]) => platform)];
      expect(plan.build.filter((platform) => existing.includes(platform))).toEqual([]);
      expect(plan.build.filter((platform) => !run.wanted.includes(platform))).toEqual([]);
      if (run.silent.tag) expect(plan.build).toEqual([]);
      if (!run.inWindow) expect(plan.build).toEqual([]);
    });
  });

  it("never stops declaring a resource whose object exists", () => {
    always((registry, run) => {
      const { managed, tag, manifests } = registry;
      const tagExists = tag !== undefined && manifests.has(tag);
      const listed = new Set<string>(Object.values(registry.holdings()));
      const plan = registry.run(run);
      if (!managed?.sources || plan.state === "gone") return;
      if (tagExists || run.silent.tag) expect(plan.sources).toBeDefined();
      const images = Object.entries(managed.images ?? {}).filter(
        // Of a tag that exists, an image it does not list any more is no part of the version.
        ([, digest]) => manifests.has(digest) && (!tagExists || listed.has(digest)),
      );
      expect(plan.keep).toMatchObject(Object.fromEntries(images));
    });
  });

  it("declares what is to stay exactly as it was declared before", () => {
    always((registry, run) => {
      const { managed } = registry;
      const plan = registry.run(run);
      if (plan.build.length > 0 || plan.state === "missing" || !plan.sources) return;
      expect(references(plan)).toEqual(managed?.sources);
    });
  });

  it("leaves nothing to do for the next one, unless it was hindered", () => {
    always((registry, run) => {
      const quiet = { ...run, broken: [], dies: false, silent: { tag: false, manifests: [] } };
      const first = registry.run(quiet);
      const tag = registry.tag;
      const record = registry.managed;
      const second = registry.run(quiet);
      expect(second.build).toEqual([]);
      expect(registry.tag).toBe(tag);
      expect(registry.managed).toEqual(record);
      if (first.build.length > 0) expect(second.state).toBe("published");
    });
  });

  it("completes every version of the window that upstream offers, unless others moved the tag", () => {
    always((registry, run) => {
      const able = { ...run, inWindow: true, notOffered: [], broken: [], silent: { tag: false, manifests: [] } };
      const plan = registry.run(able);
      if (plan.state === "moved") return expect(plan.problem).toBeDefined();
      expect(Object.keys(registry.holdings())).toEqual(expect.arrayContaining([...run.wanted]));
    });
  });

  it("leaves no manifest in a tag it writes that does not exist", () => {
    always((registry, run) => {
      const before = registry.tag;
      registry.run(run);
      if (registry.tag !== before)
        expect(registry.listed().filter((digest) => !registry.manifests.has(digest))).toEqual([]);
    });
  });

  it("leaves a tag alone that names something else than recorded although that still exists", () => {
    always((registry, run) => {
      const { managed, tag, manifests } = registry;
      const listed = registry.listed();
      const replaced = Object.values<Digest>(managed?.platforms ?? {}).some(
        (digest) => manifests.has(digest) && !listed.includes(digest),
      );
      const plan = registry.run(run);
      if (!managed?.sources || listed.length === 0 || !replaced) return;
      expect(registry.tag).toBe(tag);
      expect(plan.problem).toBeDefined();
    });
  });

  it("never takes its own work for that of others", () => {
    fc.assert(
      fc.property(history, (events) => {
        const registry = new ModelRegistry();
        const alone = events.filter(({ kind }) => kind !== "publish");
        // Without an answer about a recorded manifest it cannot tell, and leaves the tag alone.
        const answered = (run: Circumstances): Circumstances => ({ ...run, silent: { ...run.silent, manifests: [] } });
        live(registry, alone, (run) => expect(registry.run(answered(run)).state).not.toBe("moved"));
      }),
      { numRuns: 2000 },
    );
  });

  it("tells an operator whenever an answer is missing or others moved the tag", () => {
    always((registry, run) => {
      const plan = registry.run(run);
      expect(plan.problem !== undefined).toBe(plan.state === "unknown" || plan.state === "moved");
    });
  });
});

function references(plan: VersionPlan): readonly string[] {
  return (plan.sources ?? []).map((source) => (source.kind === "recorded" ? source.reference : JSON.stringify(source)));
}
