import { describe, expect, it } from "vitest";
import { proposeTagRule } from "../../../commands/newApp/proposeTagRule";
import { captured } from "../../../components/model/tagRule";
import { tagRuleMistake } from "../../../components/model/tagRule";

const propose = (tags: string) => proposeTagRule(tags.split(" ").map((tag) => ({ tag })));

describe("proposeTagRule", () => {
  it.each([
    "v1.2.3 v1.2.4 v1.3.0-rc1",
    "4.3 4.2 4.1.1",
    "2026.07.2 2026.07.1",
    "v258 v257 v257-rc1",
    "1.30.1+k3s1 1.30.2+k3s2",
  ])("needs no rule for %s", (tags) => expect(propose(tags)).toEqual({}));

  it.each([
    ["stable-11146-2 stable-11146-1 stable-11146 stable-10978 unstable-2024-01-02", "stable-11146-2", "11146-2"],
    [
      "RELEASE.2025-10-15T17-29-55Z RELEASE.2025-09-07T16-13-09Z",
      "RELEASE.2025-10-15T17-29-55Z",
      "2025-10-15T17-29-55",
    ],
    ["docker/4.6.2-r13 docker/4.6.2-r9 docker/4.6.1-r2", "docker/4.6.2-r13", "4.6.2-r13"],
    ["172 171 170 33.0.3-ls429 33.0.3-ls428 33.0.2-ls427 32.0.1-ls400", "33.0.3-ls429", "33.0.3-ls429"],
    ["release-1.4 release-1.3 release-1.2", "release-1.4", "1.4"],
    ["v11.7.0-limitless v11.6.1-limitless v11.6.0-limitless", "v11.7.0-limitless", "11.7.0"],
    ["V_10_2_P1 V_10_1_P1 V_9_9_P2 V_9_9_P1", "V_10_2_P1", "10_2_P1"],
    ["240915-e1280b2fb 240801-ab12cd34e 240701-9b8c7d6ef", "240915-e1280b2fb", "240915-e1280b2fb"],
    ["2026-07a 2026-07 2026-06 2026-05b", "2026-07a", "2026-07a"],
    ["openj9-0.60.0 openj9-0.59.0 openj9-0.58.0", "openj9-0.60.0", "0.60.0"],
    ["app_1_25_2 app_1_25_1 app_1_8 app_1_7 app_1_23_1-fixed app_1_20_0-fixed", "app_1_25_2", "1_25_2"],
    ["2026.8.1 2026.8.0 2026.8.1-java25 2026.8.0-java21 20200413", "2026.8.1", "2026.8.1"],
  ])("reads of %s the tag %s as %s", (tags, tag, version) => {
    const { tagRule, doubt } = propose(tags);
    expect(doubt).toBeUndefined();
    expect(tagRule && tagRuleMistake(tagRule)).toBeUndefined();
    expect(tagRule && captured(tag, tagRule)).toBe(version);
  });

  it.each(["latest nightly main", "", "v1.0.0-rc1 v1.0.0-beta2 v2.0.0-alpha", "$(id)1.0 `id`2.0"])(
    "says that nothing in %j reads as a version",
    (tags) => expect(propose(tags).doubt).toBe("none of its tags reads as a version"),
  );

  it("reads no other make of a version as its revision", () => {
    const { tagRule } = propose("2026.8.1 2026.8.0 2026.8.1-java25 2026.8.0-java21 20200413");
    expect(tagRule && captured("2026.8.1-java25", tagRule)).toBeUndefined();
  });

  it.each([
    ["rec-5.4.5 rec-5.4.4 auth-5.1.4 auth-5.1.3", "programs", ["auth-5.1.4", "rec-5.4.5"]],
    ["@scope/a@2.0.0 @scope/a@2.1.0 @scope/b@3.0.0", "programs", ["@scope/a@2.1.0", "@scope/b@3.0.0"]],
    [
      "5.2.3_v2.0.13-ls6 5.2.2_v2.0.13-ls5 5.1.4-r3-ls4 5.1.4-r3-ls3 5.1.4-r2-ls2 5.1.4-r2-ls1",
      "schemes",
      ["5.1.4-r3-ls4", "5.2.3_v2.0.13-ls6"],
    ],
    [
      "6.2-q5 6.2-q4 6.2-q3 6.1-q2 6.1-q1 5.9-r3-ls9 5.9-r3-ls8 5.8-r3-ls7 5.8-r2-ls6 5.8-r2-ls5 5.8-r2-ls4",
      "schemes",
      ["6.2-q5", "5.9-r3-ls9"],
    ],
  ])("says of %s that there are several %s", (tags, what, shown) => {
    const { doubt } = propose(tags);
    expect(doubt).toContain(`several ${what} (`);
    for (const tag of shown) expect(doubt).toContain(JSON.stringify(tag));
  });

  it("says what is in doubt where no rule is sure", () => {
    const { tagRule, doubt } = propose("2026.1.0 2026.2.0 20260101.0.0");
    expect(tagRule).toBeUndefined();
    expect(doubt).toMatch(/"20260101\.0\.0" is more than a hundred times/);
  });
});
