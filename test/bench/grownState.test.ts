import { expect, it } from "vitest";
import { grownState } from "../../bench/support/grownState";

const image = "urn:pulumi:s::p::multiarch-mirror:index:MirroredVersion$docker-build:index:Image::app-1.9.0-linux-amd64";
const component = "urn:pulumi:s::p::multiarch-mirror:index:MirroredVersion::app-1.9.0";
const floating = "urn:pulumi:s::p::multiarch-mirror:index:MirroredApp$docker-build:index:Index::app-latest";
const built = { version: "1.9.0", commit: "c9", index: "i9", platforms: { "linux/amd64": "a9" } };
const older = { version: "1.8.0", commit: "c8", index: "i8", platforms: { "linux/amd64": "a8" } };
const state = {
  version: 3,
  deployment: {
    resources: [
      {
        urn: "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s",
        type: "pulumi:pulumi:Stack",
        outputs: { published: { app: { versions: { "1.9.0": { digest: "i9", commit: "c9" } } } }, missing: [] },
      },
      { urn: component, type: "version" },
      { urn: image, type: "image", parent: component, id: "a9", inputs: { context: "?tag=v1.9.0&checksum=c9" } },
      { urn: floating, type: "index", inputs: { sources: ["i9"] } },
    ],
  },
};

it("a grown state holds the resources and the record of every version, and floating tags once", () => {
  const grown = grownState(state, [{ name: "app", built, more: [older] }]) as typeof state;
  const resources = grown.deployment.resources;
  expect(resources.map(({ urn }) => urn.split("::").at(-1)).toSorted()).toEqual([
    "app-1.8.0",
    "app-1.8.0-linux-amd64",
    "app-1.9.0",
    "app-1.9.0-linux-amd64",
    "app-latest",
    "p-s",
  ]);
  expect(resources.find(({ id }) => id === "a8")).toEqual({
    urn: image.replace("1.9.0", "1.8.0"),
    type: "image",
    parent: component.replace("1.9.0", "1.8.0"),
    id: "a8",
    inputs: { context: "?tag=v1.8.0&checksum=c8" },
  });
  expect(resources[0]?.outputs).toEqual({
    published: {
      app: { versions: { "1.9.0": { digest: "i9", commit: "c9" }, "1.8.0": { digest: "i8", commit: "c8" } } },
    },
    missing: [],
  });
});

it("in a grown state parents come before their children", () => {
  const shuffled = { ...state, deployment: { resources: state.deployment.resources.toReversed() } };
  const grown = grownState(shuffled, [{ name: "app", built, more: [older] }]) as typeof state;
  const seen = new Set<string>();
  for (const { urn, parent } of grown.deployment.resources) {
    if (parent !== undefined) expect(seen).toContain(parent);
    seen.add(urn);
  }
});
