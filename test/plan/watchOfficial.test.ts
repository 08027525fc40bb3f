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

  it("has the programs of the highest version looked at, on each platform that matters, and says which do not fit", async () => {
    const foreign = ["/opt/firmware"];
    const edges = world({ "7.2.0": theirs([amd, arm, "linux/s390x"]), "7.1.7": theirs([amd, arm]) });
    const [ofAmd, ofArm] = [amd, arm].map((platform) => digest(`theirs ${platform}`));
    edges.odd = { [ofArm!]: ['"/app" is an executable for amd64', '"/lib" is too', "and this"] };
    const plan = await planApp(request({ specification: { ...app, foreign } }), edges);
    const line = `upstream's image of 7.2.0 is wrong for linux/arm64: "/app" is an executable for amd64, and 2 more`;
    expect(plan.official?.changes).toEqual([line]);
    expect(plan.notes).toContain(line);
    const repository = "docker.io/upstream/app";
    expect(edges.looked).toEqual([
      { repository, digest: ofAmd, platform: amd, foreign },
      { repository, digest: ofArm, platform: arm, foreign },
    ]);
  });

  it("has those of the version before looked at while the highest has no image, and none where something is to be built", async () => {
    const edges = world({ "7.1.7": theirs([amd]) });
    await planApp(request({ specification: app }), edges);
    expect(edges.looked).toMatchObject([{ digest: digest(`theirs ${amd}`), platform: amd }]);
    const busy = new FakeEdges(releases, { [reference({ version: "7.2.0" })]: theirs([amd]), "7.1.7": held("7.1.7") });
    await planApp(request({ specification: app }), busy);
    expect(busy.looked).toEqual([]);
  });

  it("is not asked about by a run that builds, nor for an app that names none", async () => {
    const edges = world({});
    edges.run = { phase: "build", covers: () => true };
    expect((await planApp(request({ specification: app }), edges)).official).toBeUndefined();
    expect((await planApp(request(), world({}))).official).toBeUndefined();
  });
});
