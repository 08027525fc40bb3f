import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { previousRun } from "../../components/probe/previousRun";
import type { StackState } from "../../components/probe/stackState";
import { amd, arm, digest, managed } from "../plan/fakeEdges";

const tiny = { repository: "localhost:5000/mirror/tiny", versions: {}, floatingTags: {} };

const noState = (): Promise<StackState> => Promise.reject(new Error("the record names no resources"));
const stateWith = (state: Partial<StackState>) => (): Promise<StackState> =>
  Promise.resolve({ images: new Map(), indexes: new Map(), commands: new Set<string>(), ...state });

/** Lets reading the state fail so many times, then gives these outputs. @returns the calls made. */
function stateOf(outputs: object, failures = 0): readonly unknown[] {
  const calls: unknown[] = [];
  void pulumi.runtime.setMocks(
    {
      newResource: ({ type }) => {
        throw new Error(`no resource of type ${type} is expected`);
      },
      call: ({ token, inputs }) => {
        calls.push([token, inputs]);
        // The SDK prints the details of a gRPC error, which mocks do not make.
        if (calls.length <= failures) throw Object.assign(new Error(), { details: "failed to load checkpoint: EOF" });
        return { name: "", outputs, secretOutputNames: [] };
      },
    },
    "multiarch-mirror",
    "test",
    false,
    "organization",
  );
  return calls;
}

describe("what the last run recorded", () => {
  it("is read from the stack's own state", async () => {
    const calls = stateOf({ published: { tiny } });
    expect(await previousRun("all", noState)).toEqual({ tiny });
    expect(calls).toEqual([["pulumi:pulumi:readStackOutputs", { name: "organization/multiarch-mirror/test" }]]);
  });

  it("is nothing on a first run", async () => {
    stateOf({});
    expect(await previousRun("all", noState)).toEqual({});
  });

  it("is read again when the engine was writing the state at that moment", async () => {
    const calls = stateOf({ published: { tiny } }, 3);
    expect(await previousRun("all", noState)).toEqual({ tiny });
    expect(calls).toHaveLength(4);
  });

  it("ends the run, saying so, when it can never be read: it is not taken for nothing", async () => {
    stateOf({ published: { tiny } }, Infinity);
    await expect(previousRun("all", noState)).rejects.toThrow(
      /the record of the last run cannot be read from the state: failed to load checkpoint: EOF/,
    );
  });

  it("is dropped when it does not parse, as the registry is the truth", async () => {
    stateOf({ published: { tiny: { ...tiny, versions: { "1.0.0": { digest: "sha256:x" } } } } });
    expect(await previousRun("all", noState)).toEqual({});
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
      indexes: new Map(["app-1.0.0", "app-latest"].map((name) => [name, ["name@digest"]])),
      commands: new Set(["app-1.0.0-attestation", "app-1.0.0-referrers"]),
    };
    expect(await previousRun("all", stateWith(state))).toEqual({ app });
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
      { indexes: new Map([["app-1.0.0", ["name@digest"]]]) },
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
