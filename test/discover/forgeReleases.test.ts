import { describe, expect, it } from "vitest";
import { githubReleases } from "../../components/discover/forgeReleases";
import { fakeUpstream, githubRelease, ok } from "./fakeUpstream";

const page = (number: number): string => `repos/o/r/releases?per_page=100&page=${number}`;
const releases = (from: number, count: number): readonly unknown[] =>
  Array.from({ length: count }, (_, index) => githubRelease(`v1.0.${from + index}`));

describe("githubReleases", () => {
  it.each([
    ["one short page", [7], 1, 7],
    ["a full page and an empty one", [100, 0], 2, 100],
    ["two full pages and a short one", [100, 100, 1], 3, 201],
    ["no release", [0], 1, 0],
  ])("reads %s", async (_, sizes, requests, expected) => {
    const rest = Object.fromEntries(sizes.map((size, index) => [page(index + 1), ok(releases(index * 100, size))]));
    const edges = fakeUpstream({ rest });
    const list = await githubReleases(edges, "o/r");
    expect(list.candidates).toHaveLength(expected);
    expect(list.atLimit).toBe(false);
    expect(edges.log).toEqual(Array.from({ length: requests }, (_, index) => page(index + 1)));
  });

  it("stops after ten full pages, GitHub's limit, and says so", async () => {
    const rest = Object.fromEntries(
      Array.from({ length: 11 }, (_, index) => [page(index + 1), ok(releases(index * 100, 100))]),
    );
    const edges = fakeUpstream({ rest });
    const list = await githubReleases(edges, "o/r");
    expect(list.candidates).toHaveLength(1000);
    expect(list.atLimit).toBe(true);
    expect(edges.log).toHaveLength(10);
  });

  it.each([
    [
      "a list, as Go writes headers",
      { Link: ['<https://api.github.com/x?page=2>; rel="next", <https://y>; rel="last"'] },
    ],
    ["text", { link: '<https://api.github.com/x?page=2>; rel="next"' }],
  ])("goes on after a short page when the Link header, %s, names a next one", async (_, headers) => {
    const edges = fakeUpstream({ rest: { [page(1)]: ok(releases(0, 30), headers), [page(2)]: ok(releases(30, 5)) } });
    expect((await githubReleases(edges, "o/r")).candidates).toHaveLength(35);
  });

  it.each(["", "not JSON", "[]", "null", '{"Link":null}', '{"Link":["<https://x>; rel=\\"prev\\""]}'])(
    "stops after a short page when the headers are %j",
    async (headers) => {
      const edges = fakeUpstream({ rest: { [page(1)]: { ...ok(releases(0, 3)), headers } } });
      expect((await githubReleases(edges, "o/r")).candidates).toHaveLength(3);
      expect(edges.log).toHaveLength(1);
    },
  );

  it("takes a release that moved to the next page while the list was read for what it is", async () => {
    const edges = fakeUpstream({ rest: { [page(1)]: ok(releases(0, 100)), [page(2)]: ok(releases(99, 1)) } });
    expect((await githubReleases(edges, "o/r")).candidates).toHaveLength(101);
  });
});
