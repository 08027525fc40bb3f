import { expect, it } from "vitest";
import { testRequest } from "../../../tools/test/testRequest";

it.each([
  [[], true, ["unit", "e2e"], [], true],
  [["all"], true, ["unit", "e2e"], []],
  [["unit"], false, ["unit"], []],
  [["e2e"], false, ["e2e"], []],
  [["checks"], true, [], []],
  [["checks", "unit"], true, ["unit"], []],
  [["test/plan"], false, ["unit", "e2e"], ["test/plan"]],
  [["e2e", "F13"], false, ["e2e"], ["F13"]],
] as const)("reads %j", (args, checks, projects, filters, onlyStory: boolean = false) => {
  expect(testRequest(args)).toEqual({ checks, projects, filters, onlyStory });
});
