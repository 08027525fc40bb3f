import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { previousRun } from "../../components/probe/previousRun";

const tiny = { repository: "localhost:5000/mirror/tiny", versions: {}, floatingTags: {} };

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
    expect(await previousRun()).toEqual({ tiny });
    expect(calls).toEqual([["pulumi:pulumi:readStackOutputs", { name: "organization/multiarch-mirror/test" }]]);
  });

  it("is nothing on a first run", async () => {
    stateOf({});
    expect(await previousRun()).toEqual({});
  });

  it("is read again when the engine was writing the state at that moment", async () => {
    const calls = stateOf({ published: { tiny } }, 3);
    expect(await previousRun()).toEqual({ tiny });
    expect(calls).toHaveLength(4);
  });

  it("ends the run, saying so, when it can never be read: it is not taken for nothing", async () => {
    stateOf({ published: { tiny } }, Infinity);
    await expect(previousRun()).rejects.toThrow(
      /the record of the last run cannot be read from the state: failed to load checkpoint: EOF/,
    );
  });

  it("is dropped when it does not parse, as the registry is the truth", async () => {
    stateOf({ published: { tiny: { ...tiny, versions: { "1.0.0": { digest: "sha256:x" } } } } });
    expect(await previousRun()).toEqual({});
  });
});
