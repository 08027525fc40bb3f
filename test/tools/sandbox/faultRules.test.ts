import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFaultRules, type FaultRule } from "../../../tools/sandbox/faultRule";
import { FaultRules } from "../../../tools/sandbox/faultRules";

/** Which of so many equal requests a rule acts on, counted from 1. */
function acting(rule: FaultRule, requests: number): number[] {
  const rules = new FaultRules();
  rules.set([rule]);
  const numbers = Array.from({ length: requests }, (_, i) => i + 1);
  return numbers.filter(() => rules.match("registry", "PUT", "/v2/mirror/app/manifests/1.0.0") !== undefined);
}

describe("which requests a rule acts on", () => {
  it.each<[string, FaultRule, number[]]>([
    ["all, without counts", {}, [1, 2, 3, 4, 5, 6]],
    ["the first ones only, with times", { times: 2 }, [1, 2]],
    ["those after the skipped ones", { skip: 4 }, [5, 6]],
    ["the n-th", { nth: 3 }, [3]],
    ["every other one", { every: 2 }, [2, 4, 6]],
    ["the n-th after the skipped ones", { skip: 2, nth: 2 }, [4]],
    ["every other one after the skipped ones, twice", { skip: 1, every: 2, times: 2 }, [3, 5]],
    ["a method of several", { method: "GET|PUT" }, [1, 2, 3, 4, 5, 6]],
    ["not a method that only begins alike", { method: "PU" }, []],
    ["a path that contains the expression", { path: "/manifests/[^:]*$" }, [1, 2, 3, 4, 5, 6]],
    ["not another part", { part: "git" }, []],
  ])("%s", (_, rule, expected) => {
    expect(acting(rule, 6)).toEqual(expected);
  });

  it("acts on exactly one request for every n, which is how a sweep works", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 60 }), (nth, requests) => {
        expect(acting({ nth }, requests)).toEqual(nth <= requests ? [nth] : []);
      }),
    );
  });
});

describe("rules in order", () => {
  it("the first that is due acts; the others count all the same", () => {
    const rules = new FaultRules();
    rules.set([
      { name: "once", times: 1 },
      { name: "second", nth: 2 },
      { name: "git", part: "git" },
    ]);
    expect(["/a", "/b", "/c"].map((path) => rules.match("registry", "GET", path)?.name)).toEqual([
      "once",
      "second",
      undefined,
    ]);
    expect(rules.status().map(({ seen, used }) => [seen, used])).toEqual([
      [3, 1],
      [3, 1],
      [0, 0],
    ]);
  });

  it("setting them again begins all counts anew", () => {
    const rules = new FaultRules();
    rules.set([{ nth: 1 }]);
    expect(rules.match("registry", "GET", "/")).toBeDefined();
    expect(rules.match("registry", "GET", "/")).toBeUndefined();
    rules.set([{ nth: 1 }]);
    expect(rules.match("registry", "GET", "/")).toBeDefined();
  });
});

describe("reading rules", () => {
  it("accepts every field", () => {
    const rule = {
      ...{ name: "n", part: "registry", method: "PUT", path: "^/v2/", skip: 0, nth: 1, every: 1, times: 1, delayMs: 5 },
      ...{ status: 429, headers: { "Retry-After": "1" }, body: { a: 1 }, forward: false, bytesPerSecond: 1000 },
    };
    expect(
      parseFaultRules([
        rule,
        { cut: "request" },
        { cut: "response" },
        { cut: { requestBytes: 0 } },
        { cut: { responseBytes: 9 } },
      ]),
    ).toHaveLength(5);
  });

  it.each<[string, unknown, string]>([
    ["a misspelt field", [{ stauts: 500 }], "stauts"],
    ["a status that is none", [{ status: 99 }], "0.status"],
    ["an expression that is none", [{}, { path: "(" }], "1.path"],
    ["a part that is none", [{ part: "regsitry" }], "0.part"],
    ["a cut that is none", [{ cut: "sometimes" }], "0.cut"],
    ["something else than a list", { status: 500 }, "JSON array"],
  ])("refuses %s and says where it is", (_, value, place) => {
    expect(() => parseFaultRules(value)).toThrow(place);
  });

  it("reports all mistakes at once", () => {
    expect(() => parseFaultRules([{ status: 1 }, { times: 0 }])).toThrow(/0\.status[^]*1\.times/);
  });
});
