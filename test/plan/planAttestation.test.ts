import { describe, expect, it } from "vitest";
import { attestConfigSchema } from "../../components/config/attestConfig";
import type { VersionPlan } from "../../components/decide/versionPlan";
import { predicateTypes } from "../../components/model/attestationKind";
import { platformEntries } from "../../components/model/platform";
import { sbomName } from "../../components/model/sbom";
import { planAttestation } from "../../components/plan/planAttestation";
import type { AttestationList } from "../../components/probe/attachedAttestations";
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

/** What is attached to an image: an SBOM of that name, signed by us, and nothing else. */
function attached(name: string | undefined): AttestationList {
  const statement = { predicateType: predicateTypes.sbom, predicate: { name }, certificate: undefined, logIndexes: [] };
  const bundles = name === undefined ? [] : [{ digest: digest("bundle"), kind: "sbom" as const, statement }];
  const counts = { signature: bundles.length, sbom: bundles.length, provenance: 0, mirror: 0 };
  return { counts, entries: bundles.map((bundle) => bundle.digest), bundles };
}

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
    ["one that is taken over and completed", completed, { [amd]: digest("amd") }, "none", true, [amd]],
    ["one that carries its own and is completed", completed, { [amd]: digest("amd") }, "its own", true, []],
    ["one that carries another's and is completed", completed, { [amd]: digest("amd") }, "another's", true, [amd]],
    ["one that is completed, where none are wanted", completed, { [amd]: digest("amd") }, "none", false, []],
    ["those that are whole", whole(index, platforms), platforms, "none", true, [amd, arm]],
    ["those that are whole and carry another's", whole(index, platforms), platforms, "another's", true, [amd, arm]],
    ["one without an index", whole(index, single), single, "none", true, [amd]],
  ] as const)("are that of %s", (_, plan, present, carried, sbom, scans) => {
    const about = { none: () => undefined, "its own": sbomName, "another's": () => "another's" };
    const lists = new Map(
      platformEntries(present).map(([platform, image]) => {
        return [image, attached(about[carried]({ repository, digest: image, platform }))] as const;
      }),
    );
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
