"use strict";
// Starts a runner, `attest` or `copy-referrers`, without the second that a TypeScript compiler takes to load: each file is
// transpiled once and kept below node_modules/.cache, by the digest of its text. Several runners at once are in no one's way.
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

const cache = resolve(__dirname, "../../node_modules/.cache/multiarch-mirror");
const options = {
  jsc: { parser: { syntax: "typescript" }, target: "es2022" },
  module: { type: "commonjs" },
  sourceMaps: false,
  swcrc: false,
};

require.extensions[".ts"] = (module, filename) => module._compile(transpiled(filename), filename);

function transpiled(filename) {
  const source = readFileSync(filename, "utf8");
  const name = createHash("sha256").update(JSON.stringify(options)).update(source).digest("hex");
  const file = join(cache, `${name}.js`);
  try {
    return readFileSync(file, "utf8");
  } catch {
    const { code } = require("@swc/core").transformSync(source, { ...options, filename });
    keep(file, code);
    return code;
  }
}

function keep(file, code) {
  try {
    mkdirSync(cache, { recursive: true });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, code);
    renameSync(fresh, file);
  } catch {
    // A cache that cannot be written only costs time.
  }
}

const runners = { attest: "./run.ts", "copy-referrers": "../referrers/run.ts" };
void require(runners[process.argv[2] ?? "attest"]).main();
