import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { usageProblems, type VerifyUsage } from "../../../commands/verify/usageProblems";

const good: VerifyUsage = { reference: "ghcr.io/owner/app:1.0.0", key: "cosign.pub" };
type Changes = { readonly [Name in keyof VerifyUsage]?: VerifyUsage[Name] | undefined };
const problems = (changes: Changes): readonly string[] =>
  usageProblems({ ...good, ...changes } as VerifyUsage, (file) => file === "cosign.pub");

describe("what is given to verify", () => {
  it.each<Changes>([
    {},
    { reference: `localhost:5000/owner/app@sha256:${"a".repeat(64)}` },
    { key: "env://COSIGN_PUBLIC_KEY" },
    { key: "awskms:///alias/mirror" },
    { identity: "^https://github\\.com/owner/", issuer: "^https://token\\." },
    { key: undefined, repository: "owner/mirror", workflow: ".github/workflows/mirror.yml", ref: ["refs/heads/main"] },
    { source: "https://github.com/owner/app", commit: "0".repeat(40) },
  ])("may be %o", (changes) => {
    expect(problems(changes)).toEqual([]);
  });

  it.each<[Changes, RegExp]>([
    [{ reference: "" }, /^reference: ""; "" is not an image reference: repository ""; accepted is /],
    [{ reference: "ghcr.io/Owner/app:1" }, /repository "Owner\/app"; accepted is at most 255 characters/],
    [{ reference: "ghcr.io/owner/app:-1" }, /tag "-1"; accepted is at most 128/],
    [{ reference: "ghcr.io/owner/app@sha256:12" }, /digest "sha256:12"; accepted is "sha256:" and 64/],
    [
      { reference: "ghcr.io/owner/app" },
      /^reference: "ghcr\.io\/owner\/app"; it names no image.*accepted is a tag or a digest/,
    ],
    [{ reference: "host:99999/app:1" }, /registry "host:99999"; accepted is a host name/],
    [{ key: "none.pub" }, /^--key: "none\.pub"; there is no such file; accepted is a file, env:\/\/NAME/],
    [{ key: "--json" }, /^--key: "--json"; there is no such file; accepted is/],
    [{ identity: "github.com/owner" }, /^--identity: "github\.com\/owner"; it would match anywhere.*begins with \^,/],
    [{ identity: "^(" }, /^--identity: "\^\("; it is not that; accepted is a URL, or/],
    [{ issuer: "token" }, /^--issuer: "token"; it would match anywhere.*; accepted is/],
    [{ trustedRoot: "none.json" }, /^--trusted-root: "none\.json"; there is no such file; accepted is/],
    [{ repository: "https://github.com/owner/app" }, /^--repository: "https:.*accepted is OWNER\/NAME/],
    [{ workflow: "mirror.yml" }, /^--workflow: "mirror\.yml"; accepted is .*\.github\/workflows\/mirror\.yml$/],
    [{ ref: ["refs/heads/main", "main"] }, /^--ref\[1\]: "main"; accepted is a full ref/],
    [{ source: "owner/app" }, /^--source: "owner\/app"; it is not the URL.*; accepted is https:/],
    [{ key: undefined, repository: "a/b", ignoreTlog: true }, /^--ignore-tlog: true; nothing is left.*--timestamps$/],
    [{ commit: "v1.0.0" }, /^--commit: "v1\.0\.0"; it is not a commit; accepted is 40/],
  ])("must not be %o", (changes, line) => {
    expect(problems(changes)).toEqual([expect.stringMatching(line)]);
  });

  it("must say whose signatures are accepted", () => {
    expect(usageProblems({ reference: good.reference })).toEqual([
      expect.stringMatching(/^--repository: nothing given; whose signatures.*--key/),
    ]);
  });

  it("has all its mistakes told together, with the exit status of wrong usage", () => {
    const root = join(__dirname, "../../..");
    const words = ["owner/UPPER:1", "--commit", "main", "--source", "here\u001b[31m"];
    const { status, stderr } = spawnSync(process.execPath, ["tools/run.cjs", "commands/verify.ts", ...words], {
      cwd: root,
      encoding: "utf8",
    });
    expect(status).toBe(2);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines.every((line) => line.startsWith("error: ") && !line.includes("\u001b"))).toBe(true);
  });
});
