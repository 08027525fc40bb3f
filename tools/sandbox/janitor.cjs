// Cleans up what the kernel does not when a sandbox's supervisor ends, also by SIGKILL: registrations of emulators,
// builders, control groups, containers. Waits for the end of standard input, which comes when the supervisor is gone, then ends too.
// Argument: JSON { registrations: string[], controlGroup?: string, engine?: { host: string, label: string } }
"use strict";
const { execFileSync } = require("node:child_process");
const { existsSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const binfmt = "/proc/sys/fs/binfmt_misc";
const [argument = "{}", name] = process.argv.slice(2);

if (argument === "unregister") {
  execFileSync("mount", ["-t", "binfmt_misc", "binfmt_misc", binfmt]);
  attempt(() => writeFileSync(join(binfmt, name), "-1"));
} else {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  process.stdin.resume().on("end", () => void cleanUp(JSON.parse(argument)));
}

async function cleanUp({ registrations, controlGroup, engine }) {
  for (const name of registrations) attempt(() => unregister(name));
  if (engine) attempt(() => removeContainers(engine));
  if (controlGroup === undefined) return;
  // The kernel ends a builder with its parent, but only from when it has asked for that, shortly after it is forked.
  for (const pid of buildersIn(controlGroup)) attempt(() => process.kill(pid, "SIGKILL"));
  // Processes in a control group need a moment to be gone after SIGKILL.
  for (let tries = 0; tries < 100 && !removeControlGroups(controlGroup); tries++)
    await new Promise((done) => setTimeout(done, 50));
}

function unregister(name) {
  const file = join(binfmt, name);
  if (existsSync(file)) return writeFileSync(file, "-1");
  // Without a mount of its own the machine shows nothing there; a short-lived one does.
  if (existsSync(join(binfmt, "register"))) return;
  execFileSync("unshare", ["--mount", process.execPath, __filename, "unregister", name], { stdio: "ignore" });
}

function buildersIn(controlGroup) {
  const processes = list("/proc").filter((name) => /^\d+$/.test(name));
  return processes.filter((pid) => environmentOf(pid).includes(`MIRROR_BUILDER_IN=${controlGroup}`)).map(Number);
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function removeContainers({ host, label }) {
  const docker = (...args) => execFileSync("docker", ["--host", host, ...args], { encoding: "utf8", stdio: "pipe" });
  const remove = (list, command) => {
    const found = docker(...list, "--quiet", "--filter", `label=${label}`)
      .split("\n")
      .filter(Boolean);
    if (found.length > 0) docker(...command, "--force", ...found);
  };
  remove(["ps", "--all"], ["rm", "--volumes"]);
  remove(["volume", "ls"], ["volume", "rm"]);
}

function removeControlGroups(controlGroup) {
  const roots = ["/sys/fs/cgroup", ...list("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name))];
  return roots.map((root) => removeTree(join(root, controlGroup))).every(Boolean);
}

function removeTree(folder) {
  if (!existsSync(folder)) return true;
  for (const name of list(folder)) if (statSync(join(folder, name)).isDirectory()) removeTree(join(folder, name));
  attempt(() => rmdirSync(folder));
  return !existsSync(folder);
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function attempt(action) {
  try {
    action();
  } catch {
    // Best effort: the next start of a sandbox tries again.
  }
}
