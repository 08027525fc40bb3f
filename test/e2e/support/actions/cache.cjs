"use strict";
// actions/cache/restore and actions/cache/save: a folder per key below $STAND_IN_CACHE, with a folder for each path. A restore takes the very key, or else the
// newest whose name begins with one of the others.
const fs = require("node:fs");
const { join } = require("node:path");
const { input, output } = require("./inputs.cjs");

const store = process.env.STAND_IN_CACHE;
const folderOf = (key) => join(store, encodeURIComponent(key));
const key = input("key");
const paths = input("path").split("\n").filter(Boolean);

if (process.env.STAND_IN_ACTION === "actions/cache/save") {
  const there = paths.filter((path) => fs.existsSync(path));
  if (there.length === 0) console.log("::warning::nothing to keep");
  else if (!fs.existsSync(folderOf(key)))
    for (const path of there) fs.cpSync(path, join(folderOf(key), path), { recursive: true });
} else {
  const saved = fs.readdirSync(store).map(decodeURIComponent);
  const age = (name) => fs.statSync(folderOf(name)).ctimeMs;
  const beginning = input("restore-keys").split("\n").filter(Boolean);
  const [found] = saved.includes(key)
    ? [key]
    : saved
        .filter((name) => beginning.some((prefix) => name.startsWith(prefix)))
        .toSorted((left, right) => age(right) - age(left));
  if (found !== undefined) fs.cpSync(folderOf(found), ".", { recursive: true });
  output("cache-matched-key", found ?? "");
  console.log(found === undefined ? "no cache" : `restored from ${found}`);
}
