import { expect, it } from "vitest";
import { failureLines, hasCode, ReasonedError, reasonOf } from "../../components/model/reasonOf";

it.each<[unknown, string]>([
  [new Error("it broke"), "it broke"],
  ["text", "text"],
  [new Error("one\r\n\ntwo\n"), "one; two"],
  [new Error("it is not tagged:\n- one\n- two"), "it is not tagged: one; two"],
  [new Error("invocation of command:local:run returned an error: exit status 128"), "exit status 128"],
])("says of %o in one line: %s", (error, said) => {
  expect(reasonOf(error)).toBe(said);
});

it("keeps the reason of a failure apart from what failed, on the last line", () => {
  const error = new ReasonedError("r/app is not signed", new Error("first: 503\nthen: 500"));
  expect(error.message).toBe("r/app is not signed: first: 503; then: 500");
  expect(failureLines(error)).toBe("r/app is not signed:\nfirst: 503; then: 500");
  expect(failureLines(new Error("one\ntwo"))).toBe("one; two");
});

it("knows an error by its code, and nothing else", () => {
  const absent = Object.assign(new Error("no such file"), { code: "ENOENT" });
  expect(hasCode(absent, "EEXIST", "ENOENT")).toBe(true);
  expect(hasCode(absent, "EEXIST")).toBe(false);
  expect(hasCode(new Error("ENOENT"), "ENOENT")).toBe(false);
  expect(hasCode(undefined, "ENOENT")).toBe(false);
});
