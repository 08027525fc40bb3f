"use strict";
// docker/login-action: writes credentials into Docker's configuration, one of this job alone, and takes them out again after it.
const fs = require("node:fs");
const { join } = require("node:path");
const { fail, input } = require("./inputs.cjs");

const folder = join(process.env.RUNNER_TEMP, "docker");
const file = join(folder, "config.json");

if (process.env.STATE_loggedIn === "true") {
  fs.rmSync(file, { force: true });
} else {
  const [registry, username, password] = ["registry", "username", "password"].map(input);
  if (!username || !password) fail("Username and password required");
  fs.mkdirSync(folder, { recursive: true });
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  fs.writeFileSync(file, JSON.stringify({ auths: { [registry]: { auth } } }));
  fs.appendFileSync(process.env.GITHUB_STATE, "loggedIn=true\n");
  fs.appendFileSync(process.env.GITHUB_ENV, `DOCKER_CONFIG=${folder}\n`);
  console.log(`logged in to ${registry} as ${username}`);
}
