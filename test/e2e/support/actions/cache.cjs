"use strict";
// actions/cache/restore and actions/cache/save: a folder per key below $STAND_IN_CACHE. A restore takes the very key, or else the
// newest whose name begins with one of the others.
const fs = require("node:fs");
const { join } = require("node:path");
const { input, output } = require("./inputs.cjs");

const store = process.env.STAND_IN_CACHE;
const folderOf = (key) => join(store, encodeURIComponent(key));
const key = input("key");

if (process.env.STAND_IN_ACTION === "actions/cache/save") {
  if (!fs.existsSync(input("path"))) console.log("::warning::nothing to keep");
  else if (!fs.existsSync(folderOf(key))) fs.cpSync(input("path"), folderOf(key), { recursive: true });
} else {
  const saved = fs.readdirSync(store).map(decodeURIComponent);
  const age = (name) => fs.statSync(folderOf(name)).ctimeMs;
  const beginning = input("restore-keys").split("\n").filter(Boolean);
  const [found] = saved.includes(key)
    ? [key]
    : saved
        .filter((name) => beginning.some((prefix) => name.startsWith(prefix)))
        .toSorted((left, right) => age(right) - age(left));
  if (found !== undefined) fs.cpSync(folderOf(found), input("path"), { recursive: true });
  output("cache-matched-key", found ?? "");
  console.log(found === undefined ? "no cache" : `restored from ${found}`);
}
