"use strict";
// First step of every npm script: makes sure of Node and the libraries, then runs a TypeScript file.
// Plain CommonJS without libraries, because it must work on a fresh clone.
//
//   node tools/run.cjs SCRIPT.ts [arguments]

const { spawn, spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const libraries = path.join(root, "node_modules");
const stamp = path.join(libraries, ".stamp");
const neededNode = [20, 18, 1];

function main([script, ...args]) {
  if (script === undefined) {
    fail("usage: node tools/run.cjs SCRIPT.ts [arguments]");
  }
  checkNode();
  // What runs in production needs no libraries of development: a workflow leaves them out.
  const production = path.resolve(script).startsWith(path.join(root, "commands", path.sep));
  if (!(production && matchesLock({ development: false }))) {
    installLibraries();
  }
  run(path.resolve(script), args);
}

function checkNode() {
  const found = process.versions.node.split(".").map(Number);
  const different = neededNode.findIndex((part, index) => found[index] !== part);
  if (different >= 0 && found[different] < neededNode[different]) {
    fail(
      `Node ${process.versions.node} is too old; install Node ${neededNode.join(".")} or later (https://nodejs.org)`,
    );
  }
}

/** Runs `npm ci` unless the libraries installed are those of package-lock.json. */
function installLibraries() {
  const wanted = lockHash();
  if (installed() === wanted) {
    return;
  }
  const release = takeLock();
  try {
    if (installed() === wanted) {
      return;
    }
    if (!matchesLock({ development: true })) {
      process.stderr.write("installing libraries: npm ci …\n");
      const npm = process.platform === "win32" ? "npm.cmd" : "npm";
      // `npm run --silent` hands its silence on, and npm would fail without a word.
      const options = ["--no-audit", "--no-fund", "--loglevel=error"];
      const result = spawnSync(npm, ["ci", ...options], { cwd: root, stdio: ["ignore", 2, 2] });
      if (result.status !== 0) {
        fail(
          `npm ci in ${JSON.stringify(root)} failed (${result.error?.message ?? `status ${result.status}`}); see above`,
        );
      }
    }
    fs.writeFileSync(stamp, wanted);
  } finally {
    release();
  }
}

function lockHash() {
  return hash(fs.readFileSync(path.join(root, "package-lock.json")));
}

function hash(contents) {
  return createHash("sha256").update(contents).digest("hex");
}

function installed() {
  return readIfThere(stamp);
}

/** True when npm's own record of what it installed agrees with the lock file: somebody ran npm by hand. */
function matchesLock({ development }) {
  const record = readIfThere(path.join(libraries, ".package-lock.json"));
  if (record === undefined) {
    return false;
  }
  const found = JSON.parse(record).packages;
  const wanted = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const mayLack = (entry) => entry.optional || (!development && (entry.dev || entry.devOptional));
  return Object.entries(wanted).every(
    ([name, entry]) => name === "" || found[name]?.version === entry.version || (mayLack(entry) && !found[name]),
  );
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** One npm at a time. The lock is a folder holding its owner's process id; npm ci would delete it in node_modules. */
function takeLock() {
  const folder = path.join(os.tmpdir(), `multiarch-mirror-${hash(root).slice(0, 16)}.lock`);
  const owner = path.join(folder, "pid");
  for (;;) {
    try {
      fs.mkdirSync(folder);
      fs.writeFileSync(owner, String(process.pid));
      return () => fs.rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== "EEXIST") {
        throw error;
      }
    }
    if (abandoned(folder, owner)) {
      fs.rmSync(folder, { recursive: true, force: true });
    } else {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
}

function abandoned(folder, owner) {
  const pid = Number(readIfThere(owner));
  if (!(pid > 0)) {
    // Just made, not yet signed; unless its maker died in between.
    const { mtimeMs } = fs.statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    return Date.now() - mtimeMs > 10_000;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Runs the script in this process's place: same terminal, signals passed on, same end. */
function run(script, args) {
  const register = require.resolve("ts-node/register", { paths: [root] });
  const child = spawn(process.execPath, ["-r", register, script, ...args], {
    stdio: "inherit",
    env: { ...process.env, TS_NODE_PROJECT: path.join(root, "tsconfig.json") },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; a second one would cut its clean-up short.
      if (signal !== "SIGINT" || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child.on("error", (error) => report(new Error(`cannot run ${JSON.stringify(script)}: ${error.message}`)));
  child.on("exit", (status, signal) => {
    if (signal === null) {
      process.exit(status);
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  throw new Error(message);
}

function report(error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  report(error);
}
