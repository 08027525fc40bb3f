import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { shellWord } from "../../components/model/quoting";

describe("a shell word", () => {
  it.each(["", "plain/path:1.0", "two words", "it's", "$HOME `id` $(id)", "a\nb", "'''", "\\", "*?[a]", "~", "-n"])(
    "%j comes back from a shell unchanged",
    (word) => {
      expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" })).toBe(word);
    },
  );
});
