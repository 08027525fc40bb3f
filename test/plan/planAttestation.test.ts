import { describe, expect, it } from "vitest";
import { attestConfigSchema } from "../../components/config/attestConfig";
import type { VersionPlan } from "../../components/decide/versionPlan";
import { planAttestation } from "../../components/plan/planAttestation";
import { planned, repository, whole } from "../declare/plans";
import { amd, arm, digest } from "./fakeEdges";

const index = digest("index");
const platforms = { [amd]: digest("amd"), [arm]: digest("arm") };
const config = attestConfigSchema.parse({ signing: { mode: "key", key: "env://KEY", signingConfig: "none" } });

/** What is done about a version that is whole and of which nothing is signed. */
function planFor(state: VersionPlan["state"], attested: boolean) {
  return planAttestation({
    repository,
    config,
    planned: planned({ plan: { ...whole(index, platforms), state }, attested }),
    held: {
      present: { state: "present", digest: index, platforms, lost: {}, others: [] },
      ownership: { lists: new Map(), foreign: [] },
    },
  });
}

describe("a version of which nothing is signed", () => {
  it("is signed when it is ours", () => {
    expect(planFor("published", true)).toMatchObject({ mode: "repair" });
  });

  it.each(["moved", "not ours"] as const)("is never signed when it is %s", (state) => {
    expect(planFor(state, true)).toEqual({ mode: "keep", gaps: [], scans: [] });
    expect(planFor(state, false)).toBeUndefined();
  });
});
