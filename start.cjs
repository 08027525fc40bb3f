"use strict";
// Where Pulumi enters the program (package.json, "main"): with `typescript: false` in Pulumi.yaml it does not load the TypeScript
// compiler, nine megabytes that cost more than all modules of this program. `npm test` checks types, not every run.
require("./components/engine/prepareEngine.cjs").prepareEngine();

try {
  module.exports = require("./components/engine/typescript.cjs").load(`${__dirname}/index.ts`);
} catch (error) {
  if (!(error instanceof SyntaxError)) throw error;
  // As every mistake in what the run is given: left in the run file, and told without a stack trace.
  const { MIRROR_REPORT: report } = process.env;
  if (report) require("node:fs").writeFileSync(report, JSON.stringify({ mistakes: error.message.split("\n") }));
  throw new (require("@pulumi/pulumi").RunError)(error.message);
}
