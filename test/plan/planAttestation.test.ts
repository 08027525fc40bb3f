import { describe, expect, it } from "vitest";
import { attestConfigSchema } from "../../components/config/attestConfig";
import type { VersionPlan } from "../../components/decide/versionPlan";
import { planAttestation } from "../../components/plan/planAttestation";
import type { AttestationList } from "../../components/probe/attestations";
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

/** What is attached to an image: so many SBOMs of ours, signed, and nothing else. */
const attached = (sbom: number): AttestationList => ({
  counts: { signature: sbom, sbom, provenance: 0, mirror: 0 },
  entries: sbom,
  bundles: [],
  dangling: [],
});

describe("the SBOMs that are to be made of published images", () => {
  const completed: VersionPlan = {
    ...whole(index, { [amd]: digest("amd") }),
    state: "partial",
    build: [arm],
    sources: [
      { kind: "existing", digest: index },
      { kind: "build", platform: arm },
    ],
    offers: [amd, arm],
  };
  const single = { [amd]: index };
  it.each([
    ["one that is taken over and completed", completed, { [amd]: digest("amd") }, 0, true, [amd]],
    ["one that carries its own and is completed", completed, { [amd]: digest("amd") }, 1, true, []],
    ["one that is completed, where none are wanted", completed, { [amd]: digest("amd") }, 0, false, []],
    ["those that are whole", whole(index, platforms), platforms, 0, true, [amd, arm]],
    ["one without an index", whole(index, single), single, 0, true, [amd]],
  ] as const)("are that of %s", (_, plan, present, sboms, sbom, scans) => {
    const lists = new Map(Object.values(present).map((image) => [image, attached(sboms)] as const));
    const attestation = planAttestation({
      repository,
      config: { ...config, sbom },
      planned: planned({ plan }),
      held: {
        present: { state: "present", digest: index, platforms: present, lost: {}, others: [] },
        ownership: { lists, foreign: [] },
      },
    });
    expect(attestation?.scans).toEqual(scans);
  });
});
