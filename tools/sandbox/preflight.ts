import { outputOf } from "../../components/system/process";

/**
 * Checks what a sandbox without a container engine needs of the machine and nobody can install for it.
 * @throws Error that lists everything missing and what to do about each.
 */
export async function preflight(withBuilder: boolean): Promise<void> {
  const mistakes: string[] = [];
  if (process.platform !== "linux") mistakes.push(`this is ${process.platform}; the sandbox needs Linux`);
  if (withBuilder && process.getuid?.() !== 0) {
    mistakes.push("not root, which runc and its mounts need; start Docker, which does without, or run it as root");
  }
  for (const command of withBuilder ? ["setpriv", "unshare"] : ["setpriv"]) {
    const works = await outputOf(command, ["--version"], { limitMs: 10_000 }).then(
      () => true,
      () => false,
    );
    if (!works) mistakes.push(`"${command}" is not there; install the package "util-linux"`);
  }
  if (mistakes.length > 0) {
    throw new Error(`the sandbox cannot start:\n${mistakes.map((line) => `  - ${line}`).join("\n")}`);
  }
}
