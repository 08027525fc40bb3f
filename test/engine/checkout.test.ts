import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { projectSource } from "../../components/engine/checkout";

let folder = "";
const git = (...argv: readonly string[]): string =>
  execFileSync("git", ["-C", folder, ...argv], { encoding: "utf8" }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "project-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function checkout(remote: string): string {
  git("init", "--quiet");
  writeFileSync(join(folder, "file"), "1");
  git("add", "file");
  git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "x");
  git("remote", "add", "origin", remote);
  return git("rev-parse", "HEAD");
}

it.each([
  ["https://token:secret@github.com/example/mirror.git", "https://github.com/example/mirror"],
  ["https://github.com/example/mirror", "https://github.com/example/mirror"],
  ["git@github.com:example/mirror.git", "https://github.com/example/mirror"],
])("a checkout of %s is that repository at its commit", (remote, repository) => {
  const commit = checkout(remote);
  expect(projectSource(folder)).toEqual({ repository, commit });
});

it("a folder that is no checkout is none that could be named", () => {
  expect(projectSource(folder)).toBeUndefined();
});

it("a checkout that was edited, or is of nobody's repository, is none that could be named", () => {
  checkout("https://github.com/example/mirror.git");
  writeFileSync(join(folder, "file"), "2");
  expect(projectSource(folder)).toBeUndefined();
  git("checkout", "--quiet", "file");
  git("remote", "set-url", "origin", "/srv/mirror");
  expect(projectSource(folder)).toBeUndefined();
});
