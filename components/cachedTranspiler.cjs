"use strict";
// A transpiler for ts-node (tsconfig.json, "ts-node") that keeps what swc made of each file below node_modules/.cache, by the
// digest of its text: a program of two hundred files starts without transpiling any, and without loading swc.
// Several processes at once are in no one's way. Plain CommonJS, because it is what makes TypeScript run.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

const folder = resolve(__dirname, "../node_modules/.cache/multiarch-mirror/transpiled");

/** Called by ts-node: https://typestrong.org/ts-node/docs/transpilers, "Third-party transpilers". */
exports.create = (options) => {
  const settings = JSON.stringify([options.service.config.options, versions()]);
  let swc;
  const fresh = (text, request) => {
    swc ??= require("ts-node/transpilers/swc").create(options);
    const { outputText, sourceMapText } = swc.transpile(text, request);
    return { outputText, sourceMapText };
  };
  return {
    transpile(text, request) {
      // ts-node puts the file's name into the source map itself; here only its kind counts.
      const ingredients = JSON.stringify([settings, /[^.]*$/.exec(request.fileName)?.[0], text]);
      const file = join(folder, `${createHash("sha256").update(ingredients).digest("hex")}.json`);
      const kept = read(file);
      if (kept) return kept;
      const output = fresh(text, request);
      keep(file, output);
      return output;
    },
  };
};

function versions() {
  return ["ts-node", "@swc/core"].map((name) => require(`${name}/package.json`).version);
}

function read(file) {
  try {
    const { outputText, sourceMapText } = JSON.parse(readFileSync(file, "utf8"));
    return typeof outputText === "string" ? { outputText, sourceMapText } : undefined;
  } catch {
    return undefined;
  }
}

/** In one step, so that nobody ever reads half a file. A cache that cannot be written only costs time. */
function keep(file, output) {
  try {
    mkdirSync(folder, { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(output));
    renameSync(draft, file);
  } catch {}
}
