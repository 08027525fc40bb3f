import { describe, expect, it } from "vitest";
import { attestationMode } from "../../components/decide/attestationMode";

const gap = [{ digest: `sha256:${"0".repeat(64)}`, kind: "signature" }] as const;

describe("what is done about attestations", () => {
  it.each([
    [
      "fresh",
      "the index is written in this run",
      { changes: true, missing: undefined, declaredBefore: false, ours: true },
    ],
    [
      "repair",
      "something is missing on a version of ours",
      { changes: false, missing: gap, declaredBefore: false, ours: true },
    ],
    [
      "repair",
      "something is missing that was declared",
      { changes: false, missing: gap, declaredBefore: true, ours: true },
    ],
    ["keep", "all is there and was declared", { changes: false, missing: [], declaredBefore: true, ours: true }],
    [
      "keep",
      "it was declared and the registry gives no answer",
      { changes: false, missing: undefined, declaredBefore: true, ours: true },
    ],
    ["none", "all is there and the state was lost", { changes: false, missing: [], declaredBefore: false, ours: true }],
    ["none", "others published it", { changes: false, missing: gap, declaredBefore: false, ours: false }],
    ["none", "the registry gives no answer", { changes: false, missing: undefined, declaredBefore: false, ours: true }],
  ] as const)("is %s when %s", (mode, _, facts) => {
    expect(attestationMode(facts)).toBe(mode);
  });
});
