import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import {
  type IndexSource,
  type VersionFacts,
  decideVersion,
  type VersionPlan,
  withholdBuild,
  writesIndex,
} from "../../components/decide/versionPlan";
import type { Platform } from "../../components/model/platform";
import type { PresentProbe, Probe } from "../../components/model/probe";
import type { PublishedVersion } from "../../components/model/published";

const amd: Platform = "linux/amd64";
const arm: Platform = "linux/arm64";
const power: Platform = "linux/ppc64le";

const digest = (seed: string): Digest => `sha256:${Buffer.from(seed).toString("hex").padEnd(64, "0")}`;
const [index, armImage, amdImage, powerImage] = ["index", "arm", "amd", "power"].map(digest) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
const repository = "localhost/mirror/app";

const present = (over: Partial<PresentProbe> = {}): PresentProbe => ({
  state: "present",
  digest: index,
  platforms: { [amd]: amdImage, [arm]: armImage },
  lost: {},
  others: [],
  ...over,
});
const absent: Probe = { state: "absent" };
const unknown: Probe = { state: "unknown", cause: "outage", reason: "500 Internal Server Error" };

const built: PublishedVersion = {
  tag: "1.0.0",
  digest: index,
  platforms: { [amd]: amdImage, [arm]: armImage },
  origin: "built",
  sources: [`${repository}@${amdImage}`, `${repository}@${armImage}`],
  images: { [amd]: amdImage, [arm]: armImage },
};
const recordedSources: readonly IndexSource[] = (built.sources ?? []).map((reference) => ({
  kind: "recorded",
  reference,
}));
const existing = (value: Digest): IndexSource => ({ kind: "existing", digest: value });
const build = (platform: Platform): IndexSource => ({ kind: "build", platform });

const plan = (over: Partial<VersionFacts>): VersionPlan =>
  decideVersion({ wanted: [amd, arm], required: [amd, arm], inWindow: true, probe: absent, ...over });

/** What a managed version looks like in a plan that changes nothing about it. */
const declaredAgain = { build: [], keep: built.images, sources: recordedSources };

describe("a version this stack manages", () => {
  it.each([true, false])(
    "is declared unchanged while its tag names what is recorded (in the window: %s)",
    (inWindow) => {
      expect(plan({ managed: built, probe: present(), inWindow })).toEqual({
        ...declaredAgain,
        state: "published",
        origin: "built",
        lacking: [],
        present: present(),
      });
    },
  );

  it.each([true, false])("is left alone and reported when others moved its tag (in the window: %s)", (inWindow) => {
    const moved = present({ digest: digest("other"), platforms: { [amd]: digest("x"), [arm]: armImage } });
    const outcome = plan({ managed: built, probe: moved, inWindow, recordedManifests: { [amd]: "present" } });
    expect(outcome).toMatchObject({ ...declaredAgain, state: "moved", present: moved });
    expect(outcome.problem).toMatch(/moved by others.*differs for linux\/amd64\)/);
  });

  it("is left alone when others took a platform out of its tag", () => {
    const moved = present({ digest: digest("other"), platforms: { [amd]: amdImage } });
    expect(plan({ managed: built, probe: moved, recordedManifests: { [arm]: "present" } })).toMatchObject({
      ...declaredAgain,
      state: "moved",
    });
  });

  it("takes a tag it cannot tell about for moved rather than for its own repair", () => {
    const probe = present({ digest: digest("other"), platforms: { [amd]: digest("x"), [arm]: armImage } });
    expect(plan({ managed: built, probe, recordedManifests: { [amd]: "unknown" } }).state).toBe("moved");
  });

  it("is not declared with an image that is gone, though others moved its tag", () => {
    const probe = present({ digest: digest("other"), platforms: { [amd]: digest("x"), [arm]: digest("y") } });
    const outcome = plan({ managed: built, probe, recordedManifests: { [amd]: "absent", [arm]: "present" } });
    expect(outcome.state).toBe("moved");
    expect(outcome.keep).toEqual({ [arm]: armImage });
  });

  it("recognises the repair of a run that did not live to record it", () => {
    const probe = present({ digest: digest("repaired"), platforms: { [amd]: digest("again"), [arm]: armImage } });
    expect(plan({ managed: built, probe, recordedManifests: { [amd]: "absent", [arm]: "present" } })).toMatchObject({
      state: "published",
      build: [],
      keep: { [arm]: armImage },
      present: { digest: digest("repaired") },
    });
  });

  it("accepts that its tag gained a platform", () => {
    const probe = present({
      digest: digest("more"),
      platforms: { [amd]: amdImage, [arm]: armImage, [power]: powerImage },
    });
    expect(plan({ managed: built, probe })).toMatchObject({ ...declaredAgain, state: "published" });
  });

  it("is extended by just the platform that is newly wanted", () => {
    expect(plan({ managed: built, probe: present(), wanted: [amd, arm, power] })).toEqual({
      state: "partial",
      offers: [amd, arm, power],
      build: [power],
      keep: built.images,
      sources: [existing(index), build(power)],
      origin: "built",
      lacking: [],
      present: present(),
    });
  });

  it("is not extended once it has left the window", () => {
    expect(plan({ managed: built, probe: present(), wanted: [amd, arm, power], inWindow: false })).toMatchObject({
      ...declaredAgain,
      state: "partial",
      lacking: [power],
    });
  });

  it("is built again when the registry has lost all of it", () => {
    const recordedManifests = { [amd]: "absent", [arm]: "absent" } as const;
    expect(plan({ managed: built, probe: absent, recordedManifests })).toEqual({
      state: "missing",
      offers: [amd, arm],
      build: [amd, arm],
      keep: {},
      sources: [build(amd), build(arm)],
      origin: "built",
      lacking: [],
    });
  });

  it("gets its tag back without a build when only the tag is gone", () => {
    const recordedManifests = { [amd]: "present", [arm]: "present" } as const;
    expect(plan({ managed: built, probe: absent, recordedManifests })).toMatchObject({
      state: "missing",
      build: [],
      keep: built.images,
      sources: [existing(amdImage), existing(armImage)],
    });
  });

  it("is not built when the registry does not tell whether its manifests exist", () => {
    const recordedManifests = { [amd]: "present", [arm]: "unknown" } as const;
    const outcome = plan({ managed: built, probe: absent, recordedManifests });
    expect(outcome).toMatchObject({ ...declaredAgain, state: "unknown" });
    expect(outcome.problem).toContain("linux/arm64");
  });

  it("is forgotten when somebody cleaned it up outside the window", () => {
    expect(plan({ managed: built, probe: absent, inWindow: false })).toEqual({
      state: "gone",
      build: [],
      keep: {},
      lacking: [],
    });
  });

  it.each([true, false])(
    "is declared unchanged and reported when the registry does not tell (in the window: %s)",
    (inWindow) => {
      expect(plan({ managed: built, probe: unknown, inWindow })).toEqual({
        ...declaredAgain,
        state: "unknown",
        origin: "built",
        lacking: [],
        problem: "the registry gave no usable answer (outage): 500 Internal Server Error",
      });
    },
  );

  it("stays declared as far as it exists when a required platform cannot be had any more", () => {
    const recordedManifests = { [amd]: "present", [arm]: "absent" } as const;
    expect(plan({ managed: built, probe: absent, recordedManifests, wanted: [amd] })).toMatchObject({
      state: "incomplete",
      build: [],
      keep: { [amd]: amdImage },
      lacking: [arm],
    });
  });
});

describe("a version this stack does not manage", () => {
  it.each([true, false])("is adopted when it is whole, without a resource (in the window: %s)", (inWindow) => {
    expect(plan({ probe: present(), inWindow })).toEqual({
      state: "published",
      build: [],
      keep: {},
      origin: "adopted",
      lacking: [],
      present: present(),
    });
  });

  it("is completed on top of the index that exists", () => {
    const probe = present({ platforms: { [amd]: amdImage }, others: [digest("attestation")] });
    expect(plan({ probe })).toEqual({
      state: "partial",
      offers: [amd, arm],
      build: [arm],
      keep: {},
      sources: [existing(index), build(arm)],
      origin: "completed",
      lacking: [],
      present: probe,
    });
  });

  it("is composed anew from all that exists when its index lists manifests that are lost", () => {
    const attestation = digest("attestation");
    const probe = present({ platforms: { [amd]: amdImage }, lost: { [arm]: armImage }, others: [attestation] });
    expect(plan({ probe })).toMatchObject({
      build: [arm],
      sources: [existing(amdImage), existing(attestation), build(arm)],
    });
  });

  it("is composed anew, and nothing is built, when its index describes a manifest that exists as something else", () => {
    const probe = present({ platforms: { [amd]: amdImage }, misdescribed: { [arm]: armImage } });
    const repair = plan({ probe });
    expect(repair).toMatchObject({ state: "partial", build: [], offers: [arm, amd], lacking: [] });
    expect(new Set(repair.sources)).toEqual(new Set([existing(amdImage), existing(armImage)]));
    expect(writesIndex(repair)).toBe(true);
    expect(plan({ probe, managed: { ...built, digest: probe.digest } }).problem).toBeUndefined();
    expect(writesIndex(plan({ probe, inWindow: false }))).toBe(false);
  });

  it("is composed anew without what it lists besides images and is gone, which could never be copied", () => {
    const probe = present({ platforms: { [amd]: amdImage }, gone: [digest("attestation")] });
    expect(plan({ probe })).toMatchObject({ build: [arm], sources: [existing(amdImage), build(arm)] });
  });

  it("is left as it is, with the reason, when its index written anew would lose something", () => {
    const probe = present({ platforms: { [amd]: amdImage }, rewriteLoses: ["its subject", "its annotations"] });
    const left = plan({ probe });
    expect(left).toMatchObject({ state: "incomplete", build: [], lacking: [arm], present: { digest: probe.digest } });
    expect(left.problem).toContain("lacks linux/arm64");
    expect(left.problem).toContain("would lose its subject; its annotations");
    expect(left).not.toHaveProperty("sources");
    const whole = present({ platforms: { [amd]: amdImage, [arm]: armImage }, rewriteLoses: ["its subject"] });
    expect(plan({ probe: whole })).toMatchObject({ state: "published" });
    expect(plan({ probe: whole }).problem).toBeUndefined();
  });

  it("keeps what it has where its tag cannot be written again, which is a problem only when some of that is broken", () => {
    const probe = present({ platforms: { [amd]: amdImage } });
    const left = plan({ probe, immutable: true });
    expect(left).toMatchObject({ state: "partial", build: [], lacking: [arm], present: { digest: probe.digest } });
    expect([left.problem, left.sources]).toEqual([undefined, undefined]);
    expect(plan({ probe: present(), immutable: true })).toEqual(plan({ probe: present() }));
    expect(plan({ immutable: true })).toEqual(plan({}));
    const broken = plan({ probe: { ...probe, lost: { [arm]: armImage } }, immutable: true });
    expect(broken).toMatchObject({ build: [], lacking: [arm], problem: expect.stringContaining("lists linux/arm64") });
  });

  it("is not completed outside the window", () => {
    expect(plan({ probe: present({ platforms: { [amd]: amdImage } }), inWindow: false })).toMatchObject({
      state: "partial",
      build: [],
      lacking: [arm],
    });
  });

  it("is built when it is absent", () => {
    expect(plan({})).toEqual({
      state: "missing",
      offers: [amd, arm],
      build: [amd, arm],
      keep: {},
      sources: [build(amd), build(arm)],
      origin: "built",
      lacking: [],
    });
  });

  it("is of no interest when it is absent outside the window", () => {
    expect(plan({ inWindow: false })).toEqual({ state: "gone", build: [], keep: {}, lacking: [] });
  });

  it("is neither built nor declared, but reported, when the registry does not tell", () => {
    expect(plan({ probe: unknown })).toEqual({
      state: "unknown",
      build: [],
      keep: {},
      lacking: [],
      problem: "the registry gave no usable answer (outage): 500 Internal Server Error",
    });
  });

  it("waits for a required platform that upstream does not offer yet", () => {
    const outcome = plan({ wanted: [amd], required: [amd, arm] });
    expect(outcome).toEqual({ state: "incomplete", build: [], keep: {}, lacking: [arm] });
  });

  it("does not wait for one that is not required", () => {
    expect(plan({ wanted: [amd], required: [amd] })).toMatchObject({ build: [amd], sources: [build(amd)] });
  });

  it("waits when upstream offers nothing at all, even if nothing is required", () => {
    expect(plan({ wanted: [], required: [] })).toMatchObject({ state: "incomplete", build: [] });
  });
});

describe("a version whose build is withheld", () => {
  const input = (over: Partial<VersionFacts>): VersionFacts => ({
    wanted: [amd, arm],
    required: [],
    inWindow: true,
    probe: absent,
    ...over,
  });

  it("is not declared when it does not exist", () => {
    expect(withholdBuild(input({}), "no Dockerfile")).toEqual({
      state: "missing",
      build: [],
      keep: {},
      lacking: [amd, arm],
      problem: "no Dockerfile",
    });
  });

  it("stays as it is when a part of it exists", () => {
    const outcome = withholdBuild(input({ managed: built, probe: present(), wanted: [amd, arm, power] }), "no file");
    expect(outcome).toMatchObject({ ...declaredAgain, lacking: [power], problem: "no file" });
  });

  it("is not declared by a stack that does not manage it", () => {
    const outcome = withholdBuild(input({ probe: present({ platforms: { [amd]: amdImage } }) }), "no file");
    expect(outcome).toMatchObject({ build: [], keep: {}, lacking: [arm], origin: "adopted" });
    expect(outcome.sources).toBeUndefined();
  });
});
