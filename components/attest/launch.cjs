"use strict";
// Starts a runner, `attest` or `copy-referrers`, as the program itself is started: without the second that a TypeScript
// compiler takes to load.
require("../engine/transpiler.cjs").register();

const runners = { attest: "./run.ts", "copy-referrers": "./runCopy.ts" };
void require(runners[process.argv[2] ?? "attest"]).main();
