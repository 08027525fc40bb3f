"use strict";
const { appendFileSync } = require("node:fs");

/** An input of the action as the runner hands it on; empty when it is not given. */
exports.input = (name) => (process.env[`INPUT_${name.replace(/ /g, "_").toUpperCase()}`] ?? "").trim();

/** Sets an output of the step. */
exports.output = (name, value) => appendFileSync(process.env.GITHUB_OUTPUT, `${name}=${value}\n`);

/** Fails the step. */
exports.fail = (message) => {
  console.log(`::error::${message}`);
  process.exit(1);
};
