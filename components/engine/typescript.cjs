"use strict";
// What makes TypeScript run, on every Node that package.json allows. Plain CommonJS, because nothing else runs before it.
const { buildSync } = require("esbuild");
const Module = require("node:module");

/**
 * Loads a TypeScript file and gives its exports. At each start esbuild makes one bundle of the file and all it imports from the
 * checkout, which takes about as long as reading the same files from a cache would, so there is no cache; libraries stay
 * outside. In the bundle `__dirname` and `__filename` are not those of the source: ./checkout.ts knows where things are.
 * @param {string} file absolute path.
 * @throws what the file throws, as {@link located} has it, and a SyntaxError with a line for each position and reason when a file is no
 * TypeScript or an import leads nowhere.
 */
exports.load = (file) => {
  const bundle = `${file}.bundle.js`;
  const { outputFiles } = buildOrSay({
    entryPoints: [file],
    absWorkingDir: process.cwd(),
    outfile: bundle,
    write: false,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "cjs",
    target: "node20",
    // Node's own import() finds no file of a library whose name lacks its ending; require does.
    supported: { "dynamic-import": false },
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "silent",
  });
  // Node itself gives stack traces positions in the source, but only while nobody else prepares them, as Pulumi's language host does.
  process.setSourceMapsEnabled(true);
  Error.prepareStackTrace = undefined;
  const loaded = new Module(bundle, module);
  loaded.filename = bundle;
  loaded.paths = module.paths;
  try {
    loaded._compile(outputFiles[0].text, bundle);
  } catch (error) {
    throw exports.located(error);
  }
  return loaded.exports;
};

/**
 * What was thrown while files were loaded: from an app's file as a SyntaxError that begins with the place in it, since whoever wrote
 * that file needs no stack trace; anything else as it is.
 * @param {unknown} error
 */
exports.located = (error) => {
  if (!(error instanceof Error) || error instanceof SyntaxError) return error;
  const [place] = /\bapps\/[\w.-]+\.ts:\d+(?::\d+)?/.exec(error.stack ?? "") ?? [];
  return place === undefined ? error : new SyntaxError(`${place}: ${error.message}`, { cause: error });
};

/** @param {import("esbuild").BuildOptions} options */
function buildOrSay(options) {
  try {
    return buildSync(options);
  } catch (cause) {
    if (!Array.isArray(cause.errors) || cause.errors.length === 0) throw cause;
    const lines = cause.errors.map(({ text, location: at }) =>
      at ? `${at.file}:${at.line}:${at.column}: ${text}: ${at.lineText.trim()}` : text,
    );
    throw new SyntaxError(lines.join("\n"), { cause });
  }
}
