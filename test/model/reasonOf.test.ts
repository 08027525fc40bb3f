import { expect, it } from "vitest";
import { reasonOf } from "../../components/model/reasonOf";

it.each<[unknown, string]>([
  [new Error("it broke"), "it broke"],
  ["text", "text"],
  [new Error("one\r\n\ntwo\n"), "one; two"],
  [new Error("it is not tagged:\n- one\n- two"), "it is not tagged: one; two"],
  [new Error("invocation of command:local:run returned an error: exit status 128"), "exit status 128"],
])("says of %o in one line: %s", (error, said) => {
  expect(reasonOf(error)).toBe(said);
});
