import { describe, expect, it } from "vitest";
import { previousRun as read } from "../../components/probe/previousRun";
import type { Phase } from "../../components/config/runOptions";
import type { StackState } from "../../components/probe/stackState";
import { exampleRecord } from "../attest/fixtures";
import { amd, arm, digest, managed } from "../plan/fakeEdges";

const tiny = { repository: "localhost:5000/mirror/tiny", versions: {}, floatingTags: {} };

const noState = (): Promise<StackState> => Promise.reject(new Error("the record names no resources"));
const stateWith = (state: Partial<StackState>) => (): Promise<StackState> =>
  Promise.resolve({ images: new Map(), indexes: new Map(), commands: new Map<string, undefined>(), ...state });

let outputs: Readonly<Record<string, unknown>> = {};
const stateOf = (given: Readonly<Record<string, unknown>>): void => void (outputs = given);
const warned: string[] = [];
const previousRun = (phase: Phase, state: () => Promise<StackState>) =>
  read(outputs, { phase, stack: "test", state, warn: async (text) => void warned.push(text) });

describe("what the last run recorded", () => {
  it("is read from the stack's outputs", async () => {
    stateOf({ published: { tiny } });
    expect(await previousRun("all", noState)).toEqual({ tiny });
  });

  it("is nothing on a first run", async () => {
    stateOf({});
    expect(await previousRun("all", noState)).toEqual({});
  });

  it("is dropped when it does not parse, as the registry is the truth", async () => {
    stateOf({ published: { tiny: { ...tiny, versions: { "1.0.0": { digest: "sha256:x" } } } } });
    expect(await previousRun("all", noState)).toEqual({});
    expect(warned).toEqual([expect.stringContaining("does not parse")]);
  });

  const app = {
    repository: tiny.repository,
    versions: { "1.0.0": { ...managed("1.0.0"), attested: true, referrers: true } },
    floatingTags: { latest: { version: "1.0.0", digest: digest("1.0.0"), source: "name@digest" } },
  };

  it("is as it was where the state has all of it", async () => {
    stateOf({ published: { app } });
    const image = { digest: digest("any") };
    const state = {
      images: new Map(["app-1.0.0-linux-amd64", "app-1.0.0-linux-arm64"].map((name) => [name, image])),
      indexes: new Map(
        ["app-1.0.0", "app-latest"].map((name) => [name, { tag: "name:tag", sources: ["name@digest"] }]),
      ),
      commands: new Map([
        ["app-1.0.0-attestation", exampleRecord],
        ["app-1.0.0-referrers", undefined],
      ]),
    };
    const { record, ...left } = (await previousRun("all", stateWith(state)))["app"]?.versions["1.0.0"] ?? {};
    expect(left).toEqual(app.versions["1.0.0"]);
    expect(record).toEqual(exampleRecord);
  });

  it.each([
    ["nothing of it", {}, { origin: "adopted" }],
    [
      "one image",
      { images: new Map([["app-1.0.0-linux-arm64", { digest: digest("any") }]]) },
      { origin: "built", images: { [arm]: digest(`1.0.0 ${arm}`) } },
    ],
    [
      "the index alone",
      { indexes: new Map([["app-1.0.0", { tag: "name:tag", sources: ["name@digest"] }]]) },
      { origin: "built", images: {}, sources: managed("1.0.0").sources },
    ],
  ])("F38 names no resource that is not in the state: that has %s", async (_, state, left) => {
    stateOf({ published: { app } });
    const { tag, digest: named, platforms } = managed("1.0.0");
    expect(Object.keys(platforms)).toEqual([amd, arm]);
    expect(await previousRun("all", stateWith(state))).toEqual({
      app: { ...app, versions: { "1.0.0": { tag, digest: named, platforms, ...left } }, floatingTags: {} },
    });
  });

  it("F38 is refused by a build phase, which would take it out of the state; one that names no resource is not", async () => {
    stateOf({ published: { app } });
    await expect(previousRun("build", noState)).rejects.toThrow(
      /MIRROR_PHASE: "build"; the state of stack "test" keeps published versions/,
    );
    stateOf({ published: { tiny } });
    expect(await previousRun("build", noState)).toEqual({ tiny });
  });
});
