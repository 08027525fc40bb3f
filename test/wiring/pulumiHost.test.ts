import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pulumiEdges, pulumiHost, stackConfig } from "../../components/wiring/pulumiHost";

const tiny = { repository: "localhost:5000/mirror/tiny", versions: {}, floatingTags: {} };
const projectBefore = process.env["PULUMI_NODEJS_PROJECT"];

beforeEach(() => stateOf({}));
afterEach(() => {
  pulumi.runtime.setAllConfig({});
  if (projectBefore === undefined) delete process.env["PULUMI_NODEJS_PROJECT"];
  else process.env["PULUMI_NODEJS_PROJECT"] = projectBefore;
});

/** Lets reading the state fail so many times, then gives these outputs. @returns the calls made. */
function stateOf(outputs: object, failures = 0): readonly pulumi.runtime.MockCallArgs[] {
  const calls: pulumi.runtime.MockCallArgs[] = [];
  void pulumi.runtime.setMocks(
    {
      newResource: ({ type }) => {
        throw new Error(`no resource of type ${type} is expected`);
      },
      call: (call) => {
        calls.push(call);
        // The SDK prints the details of a gRPC error, which mocks do not make.
        if (calls.length <= failures) throw Object.assign(new Error(), { details: "failed to load checkpoint: EOF" });
        if (call.token === "github:index/getRestApi:getRestApi")
          return { code: 200, status: "200 OK", headers: "{}", body: "[]" };
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
  const outputs = () => pulumiHost().outputs();

  it("is read from the stack's own state", async () => {
    const calls = stateOf({ published: { tiny } });
    expect(await outputs()).toEqual({ published: { tiny } });
    expect(calls.map(({ token, inputs }): readonly unknown[] => [token, inputs])).toEqual([
      ["pulumi:pulumi:readStackOutputs", { name: "organization/multiarch-mirror/test" }],
    ]);
  });

  it("is read again when the engine was writing the state at that moment", async () => {
    const calls = stateOf({ published: { tiny } }, 3);
    expect(await outputs()).toEqual({ published: { tiny } });
    expect(calls).toHaveLength(4);
  });

  it("ends the run, saying so, when it can never be read: it is not taken for nothing", async () => {
    stateOf({ published: { tiny } }, Infinity);
    await expect(outputs()).rejects.toThrow(
      /the record of the last run cannot be read from the state: failed to load checkpoint: EOF/,
    );
  });
});

describe("the stack's configuration", () => {
  it("is every key of the project, unknown ones too, and none of other namespaces", () => {
    pulumi.runtime.setAllConfig({
      "multiarch-mirror:keep": "3",
      "multiarch-mirror:unknown": "[1]",
      "multiarch-mirror-other:keep": "4",
      "github:token": "t",
    });
    expect(stackConfig()).toEqual({ keep: "3", unknown: "[1]" });
  });
});

describe("upstream", () => {
  it("is asked through the provider with exactly these inputs", async () => {
    const calls = stateOf({});
    const edges = pulumiEdges();
    expect(await edges.restApi("repos/o/r/releases")).toMatchObject({ code: 200, headers: "{}", body: "[]" });
    expect(calls.map(({ token, inputs }): unknown => [token, inputs])).toEqual([
      ["github:index/getRestApi:getRestApi", { endpoint: "repos/o/r/releases" }],
    ]);
  });
});
