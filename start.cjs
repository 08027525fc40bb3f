"use strict";
// Where Pulumi enters the program (package.json, "main"): with `typescript: false` in Pulumi.yaml it does not load the TypeScript
// compiler, nine megabytes that cost more than all modules of this program. `npm test` checks types, not every run.
require("./components/engine/prepareEngine.cjs").prepareEngine();

module.exports = require("./components/engine/typescript.cjs").load(`${__dirname}/index.ts`);
