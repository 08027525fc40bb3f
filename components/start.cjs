"use strict";
// Where Pulumi enters the program (package.json, "main"). With `typescript: false` in Pulumi.yaml it does not load the TypeScript
// compiler, nine megabytes that cost more than all modules of this program: their types are checked by `npm test`, not by every run.
require("./lazyModules.cjs");
require("./cachedTranspiler.cjs").register();
module.exports = require("../index.ts");
