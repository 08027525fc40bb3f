import { describe, expect, it } from "vitest";
import type { Probe } from "../../components/model/probe";
import { planApp } from "../../components/plan/planApp";
import { amd, arm, digest, FakeEdges, held, release, repository, request, specification } from "./fakeEdges";

const reference = ({ version }: { readonly version: string }) => `docker.io/upstream/app:${version}`;
const app = { ...specification, official: { reference } };
const releases = ["7.2.0", "7.1.7"].map((version) => release(version));
const theirs = (platforms: readonly (typeof amd)[]): Probe => held("theirs", platforms);

/** An app all of whose versions are here already, and what upstream's registry says of its own. */
function world(official: Readonly<Record<string, Probe>>) {
  return new FakeEdges(releases, {
    ...Object.fromEntries(Object.entries(official).map(([version, probe]) => [reference({ version }), probe])),
    "7.2.0": held("7.2.0"),
    "7.1.7": held("7.1.7"),
  });
}

describe("upstream's own image", () => {
  it("is looked at in every run, also when nothing is missing here", async () => {
    const edges = world({ "7.2.0": theirs([amd]), "7.1.7": theirs([amd, arm]) });
    const plan = await planApp(request({ specification: app }), edges);
    const line = "upstream dropped linux/arm64 after 7.1.7: 7.2.0 lacks it";
    expect(plan.official).toEqual({ platforms: { "7.2.0": [amd], "7.1.7": [amd, arm] }, changes: [line] });
    expect(plan.notes).toContain(line);
    expect(edges.believed.filter((name) => name.startsWith("docker.io/"))).toHaveLength(2);
  });

  it("is compared with what an earlier run saw, which stays where upstream does not answer", async () => {
    const edges = world({ "7.2.0": theirs([amd]), "7.1.7": { state: "unknown", cause: "outage", reason: "503" } });
    const published = {
      repository,
      versions: {},
      floatingTags: {},
      official: { "7.2.0": [amd, arm], "7.1.7": [arm], "6.0.0": [arm] },
    };
    const { official } = await planApp(request({ specification: app, published }), edges);
    expect(official).toEqual({
      platforms: { "7.2.0": [amd], "7.1.7": [arm] },
      changes: ["upstream lost linux/arm64 of 7.2.0, which had it before"],
    });
  });

  it("is named where its index describes an image as another one", async () => {
    const odd: Probe = { ...held("theirs", [amd]), misdescribed: { [arm]: digest("odd") } };
    const { official } = await planApp(request({ specification: app }), world({ "7.2.0": odd, "7.1.7": odd }));
    expect(official?.changes).toEqual(
      ["7.2.0", "7.1.7"].map(
        (version) => `upstream's image of ${version} lists linux/arm64 in a way that nobody can pull it by`,
      ),
    );
  });

  it("is not asked about by a run that builds, nor for an app that names none", async () => {
    const edges = world({});
    edges.run = { phase: "build", covers: () => true };
    expect((await planApp(request({ specification: app }), edges)).official).toBeUndefined();
    expect((await planApp(request(), world({}))).official).toBeUndefined();
  });
});
