import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "../../components/config/schemaParts";

const candidates = ["registry", "namespace", "platforms", "keep", "apps"];

describe("nearest", () => {
  it.each([
    ["kep", "keep"],
    ["platform", "platforms"],
    ["Registry", "registry"],
    ["resgitry", "registry"],
    ["namespaces", "namespace"],
    ["app", "apps"],
  ])("takes %s for %s", (name, meant) => expect(nearest(name, candidates)).toBe(meant));

  it.each(["", "x", "builder", "keeping", "a".repeat(10_000)])("makes no guess for %s", (name) => {
    expect(nearest(name, candidates)).toBeUndefined();
  });

  it("prefers the closest of several", () => {
    expect(nearest("base-outlne", ["outline", "base-outlines", "base-outline"])).toBe("base-outline");
  });

  it("finds every candidate itself and answers with candidates only", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 20 })), fc.string({ maxLength: 20 }), (names, name) => {
        const found = nearest(name, names);
        if (found !== undefined) expect(names).toContain(found);
        for (const candidate of names) expect(nearest(candidate, [candidate])).toBe(candidate);
      }),
    );
  });
});
