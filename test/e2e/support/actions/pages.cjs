"use strict";
// actions/upload-pages-artifact and actions/deploy-pages: the site as one tarball, which is the run's artifact, and a folder in the place
// of GitHub Pages.
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const { join } = require("node:path");
const { fail, input, output } = require("./inputs.cjs");

const artifact = join(process.env.STAND_IN_ARTIFACTS, process.env.GITHUB_RUN_ID, "github-pages");
const tarball = join(artifact, "artifact.tar");

if (process.env.STAND_IN_ACTION === "actions/upload-pages-artifact") {
  if (!fs.existsSync(input("path"))) fail("there is no site to upload");
  fs.mkdirSync(artifact, { recursive: true });
  const exclude = [".git", ".github", ".[^/]*"].map((name) => `--exclude=${name}`);
  const how = ["--dereference", "--hard-dereference", "--directory", input("path"), ...exclude];
  execFileSync("tar", [...how, "-cf", tarball, "."]);
} else {
  if (!fs.existsSync(tarball)) fail("the run has no artifact github-pages");
  const site = process.env.STAND_IN_PAGES;
  fs.rmSync(site, { recursive: true, force: true });
  fs.mkdirSync(site, { recursive: true });
  execFileSync("tar", ["-xf", tarball, "--directory", site]);
  output("page_url", "https://acme.github.io/mirror/");
}
