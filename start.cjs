"use strict";
// Where Pulumi enters the program (package.json, "main"). With `typescript: false` in Pulumi.yaml it does not load the TypeScript
// compiler, nine megabytes that cost more than all modules of this program: their types are checked by `npm test`, not by every run.
require("./components/engine/lazyModules.cjs");
require("./components/engine/transpiler.cjs").register();
// When the CLI is killed nobody reads the output any more. Pulumi would log the failed write, and the failed log, without end.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(1);
  });

module.exports = require("./index.ts");
