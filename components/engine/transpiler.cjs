"use strict";
// Keeps what swc made of each TypeScript file below node_modules/.cache, by the digest of its text: a program of two hundred
// files starts without transpiling any, and without loading swc. For the program itself (`register`) and for ts-node, which runs
// the tools (tsconfig.json, "ts-node"). Several processes at once are in no one's way. Plain CommonJS, because it is what makes
// TypeScript run.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { basename, join, resolve } = require("node:path");

const folder = resolve(__dirname, "../../node_modules/.cache/multiarch-mirror/transpiled");
const settings = {
  module: { type: "commonjs" },
  jsc: { parser: { syntax: "typescript" }, target: "es2022", keepClassNames: true },
  sourceMaps: true,
  swcrc: false,
  configFile: false,
};

/** Lets Node load TypeScript, without types, and gives stack traces positions in the source. */
exports.register = () => {
  const transpile = (text, { fileName }) => {
    const { code, map } = require("@swc/core").transformSync(text, { ...settings, filename: fileName });
    return { outputText: code, sourceMapText: map };
  };
  const cached = throughCache(JSON.stringify([settings, versions(["@swc/core"])]), transpile);
  const maps = new Map();
  Module._extensions[".ts"] = (module, file) => {
    const { outputText, sourceMapText } = cached(readFileSync(file, "utf8"), { fileName: file });
    // What is kept does not depend on where the file lies, so the map has to be told.
    maps.set(file, () =>
      JSON.stringify({ ...JSON.parse(sourceMapText), file: basename(file), sources: [basename(file)] }),
    );
    module._compile(outputText, file);
  };
  // The library Pulumi itself formats stack traces with; it asks when there is an error to show.
  const pulumi = Module.createRequire(require.resolve("@pulumi/pulumi"));
  pulumi("source-map-support").install({
    retrieveSourceMap: (file) => (maps.has(file) ? { url: file, map: maps.get(file)() } : null),
  });
};

/** Called by ts-node: https://typestrong.org/ts-node/docs/transpilers, "Third-party transpilers". */
exports.create = (options) => {
  let swc;
  const transpile = (text, request) => {
    swc ??= require("ts-node/transpilers/swc").create(options);
    return swc.transpile(text, request);
  };
  const chosen = JSON.stringify([options.service.config.options, versions(["ts-node", "@swc/core"])]);
  return { transpile: throughCache(chosen, transpile) };
};

/** The same transpiler, asked only for what is not kept. `chosen` is all that decides about its output besides the text. */
function throughCache(chosen, transpile) {
  return (text, request) => {
    // The file's name appears in the source map alone; here only its kind counts.
    const ingredients = JSON.stringify([chosen, /[^.]*$/.exec(request.fileName)?.[0], text]);
    const file = join(folder, `${createHash("sha256").update(ingredients).digest("hex")}.json`);
    const kept = read(file);
    if (kept) return kept;
    const { outputText, sourceMapText } = transpile(text, request);
    const output = { outputText, sourceMapText };
    keep(file, output);
    return output;
  };
}

function versions(names) {
  return names.map((name) => require(`${name}/package.json`).version);
}

function read(file) {
  try {
    const { outputText, sourceMapText } = JSON.parse(readFileSync(file, "utf8"));
    const whole = typeof outputText === "string" && typeof sourceMapText === "string";
    return whole ? { outputText, sourceMapText } : undefined;
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
