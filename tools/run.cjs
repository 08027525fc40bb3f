"use strict";
// First step of every npm script: sees to Node and the libraries, then runs a TypeScript file. Must work on a fresh clone.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const fs = require("node:fs");
const { join, resolve } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");

const root = resolve(__dirname, "..");
const lock = join(root, ".installing");
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

async function prepare(script) {
  if (script === undefined) throw new Error("usage: node tools/run.cjs SCRIPT.ts [arguments]");
  process.argv.splice(1, 2, resolve(script));
  if (process.versions.node.localeCompare("20.18.1", "en", { numeric: true }) < 0)
    throw new Error(`Node ${process.versions.node} is too old; install Node 20.18.1 or later (https://nodejs.org)`);
  while (!installed(script)) {
    if (fs.mkdirSync(lock, { recursive: true })) return await install(script).finally(() => fs.rmdirSync(lock));
    const since = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > 600_000) throw new Error(`npm ci was killed: remove ${JSON.stringify(lock)} and retry`);
    await sleep(100);
  }
}

/** Whether npm's own record of what it installed agrees with the lock file; a command does without libraries of development. */
function installed(script) {
  const [wanted, found] = ["package-lock.json", "node_modules/.package-lock.json"].map((name) => {
    const file = join(root, name);
    return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).packages : { "": {} };
  });
  const command = resolve(script).startsWith(join(root, "commands/"));
  const mayLack = ({ optional, dev, devOptional }) => optional || (command && (dev || devOptional));
  const fits = ([name, entry]) => !name || (found[name] ? found[name].version === entry.version : mayLack(entry));
  return Object.entries(wanted).every(fits);
}

/** npm replaces all libraries, so only who made the folder `lock` may run it. Its errors are to be seen under `npm --silent`. */
async function install(script) {
  if (installed(script)) return;
  process.stderr.write("installing libraries: npm ci …\n");
  const npm = spawn("npm", ["ci", "--include=dev", "--loglevel=error"], { cwd: root, stdio: ["ignore", 2, 2] });
  for (const signal of signals) process.once(signal, () => npm.kill(signal));
  const [status, signal] = await once(npm, "exit");
  if (status !== 0) throw new Error(`npm ci in ${JSON.stringify(root)} failed (${signal ?? status}), see above`);
  for (const name of signals) process.removeAllListeners(name);
}

const fail = ({ message }, status = 1) => console.error(message) ?? process.exit(status);
const load = () => {
  try {
    require("../components/engine/typescript.cjs").load(process.argv[1]);
  } catch (error) {
    // A file that is no TypeScript, such as an app's: whoever wrote it needs no stack trace.
    if (!(error instanceof SyntaxError)) throw error;
    fail(error, 2);
  }
};
prepare(process.argv[2]).then(load, fail);
