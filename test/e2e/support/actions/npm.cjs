#!/usr/bin/env node
"use strict";
// npm as a job of the workflows calls it: `npm ci` takes the libraries from the checkout under test instead of the internet,
// and leaves out what the options say; everything else is npm itself. What a step writes for the page of the run is kept, which
// act throws away.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const { dirname, join } = require("node:path");

const [command, ...options] = process.argv.slice(2);
if (command !== "ci") {
  const env = { ...process.env, GITHUB_STEP_SUMMARY: process.env.STAND_IN_SUMMARY };
  const { status } = spawnSync(process.env.STAND_IN_NPM, process.argv.slice(2), { stdio: "inherit", env });
  process.exit(status ?? 1);
}
const expected = ["--ignore-scripts", "--omit=dev"];
if (options.toSorted().join() !== expected.join()) {
  console.error(`npm ci ${options.join(" ")} is not what the workflows call`);
  process.exit(1);
}
const libraries = process.env.STAND_IN_LIBRARIES;
const { packages } = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
const kept = Object.entries(packages).filter(([name, entry]) => name !== "" && !entry.dev);
const present = kept.filter(([name]) => fs.existsSync(join(libraries, "..", name)));
for (const [name] of present) {
  // What lies inside another library comes along with it.
  if (name.lastIndexOf("/node_modules/") > 0) continue;
  fs.mkdirSync(dirname(name), { recursive: true });
  fs.symlinkSync(join(libraries, "..", name), name);
}
fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: Object.fromEntries(present) }));
