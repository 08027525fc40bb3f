"use strict";
// Starts a runner, `attest` or `copy-referrers`, as the program itself is started.
const { load } = require("../engine/typescript.cjs");

const runners = { attest: "run.ts", "copy-referrers": "runCopy.ts" };
void load(`${__dirname}/${runners[process.argv[2] ?? "attest"]}`).main();
