"use strict";
// actions/upload-artifact and actions/download-artifact: a folder per name below $STAND_IN_ARTIFACTS, which belongs to one run.
const fs = require("node:fs");
const { join } = require("node:path");
const { fail, input } = require("./inputs.cjs");

const store = join(process.env.STAND_IN_ARTIFACTS, process.env.GITHUB_RUN_ID);
fs.mkdirSync(store, { recursive: true });

if (process.env.STAND_IN_ACTION === "actions/upload-artifact") {
  const name = input("name");
  if (/["\\/:<>|*?\r\n]/.test(name)) fail(`${JSON.stringify(name)} is no name of an artifact`);
  const present = fs.existsSync(input("path")) && fs.readdirSync(input("path")).length > 0;
  if (!present && input("if-no-files-found") !== "ignore") fail("there is nothing to upload");
  if (fs.existsSync(join(store, name)) && input("overwrite") !== "true") fail(`${name} exists already`);
  fs.rmSync(join(store, name), { recursive: true, force: true });
  if (present) fs.cpSync(input("path"), join(store, name), { recursive: true });
} else {
  const [before, after] = input("pattern").split("*");
  const names = fs.readdirSync(store).filter((name) => name.startsWith(before) && name.endsWith(after));
  for (const name of names) {
    const target = input("merge-multiple") === "true" ? input("path") : join(input("path"), name);
    fs.cpSync(join(store, name), target, { recursive: true });
  }
  console.log(`artifacts: ${names.join(", ") || "none"}`);
}
