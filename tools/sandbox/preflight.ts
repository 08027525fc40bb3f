import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Requirement {
  readonly command: string;
  readonly args: readonly string[];
  readonly purpose: string;
  /** Debian package that has it. */
  readonly package: string;
}

const requirements: readonly Requirement[] = [
  { command: "git", args: ["--version"], purpose: "serves the upstream repositories", package: "git" },
  {
    command: "setpriv",
    args: ["--version"],
    purpose: "ends the parts together with the sandbox",
    package: "util-linux",
  },
];

const builderRequirements: readonly Requirement[] = [
  { command: "runc", args: ["--version"], purpose: "runs build steps", package: "runc" },
  { command: "unshare", args: ["--version"], purpose: "isolates the builder", package: "util-linux" },
];

/**
 * Checks what a sandbox needs of the machine.
 * @throws Error that lists everything missing and what to do about each.
 */
export async function preflight(withBuilder: boolean): Promise<void> {
  const mistakes: string[] = [];
  if (process.platform !== "linux") mistakes.push(`this is ${process.platform}; the sandbox needs Linux`);
  if (withBuilder && process.getuid?.() !== 0)
    mistakes.push("not root, which runc and its mounts need; run it as root, or in a privileged container");
  for (const { command, args, purpose, package: name } of withBuilder
    ? [...requirements, ...builderRequirements]
    : requirements) {
    const works = await run(command, [...args], { timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (!works)
      mistakes.push(
        `"${command}" is not there (${purpose}); install the package "${name}", for instance: apt-get install ${name}`,
      );
  }
  if (mistakes.length > 0)
    throw new Error(`the sandbox cannot start:\n${mistakes.map((line) => `  - ${line}`).join("\n")}`);
}
