import { execFile } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { MirrorUnderTest } from "./mirrorUnderTest";

const execute = promisify(execFile);
const root = resolve(__dirname, "../../..");

/** How one `npm run reconcile` ended. */
export interface ReconcileRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The Markdown summary. */
  readonly summary: string;
  /** What GitHub Actions would take for step outputs. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Runs the reconcile command on a mirror's program, as its npm script does, in a process and with a state of its own: nothing
 * but the files named in the arguments joins two runs.
 */
export async function reconcileRun(
  mirror: MirrorUnderTest,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<ReconcileRun> {
  const folder = await mkdtemp(join(tmpdir(), "reconcile-run-"));
  const [summary, output] = [join(folder, "summary.md"), join(folder, "output")];
  const environment = mirror.environment({ GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output, ...variables });
  delete environment["PULUMI_BACKEND_URL"];
  const command = [join(root, "tools", "run.cjs"), join(root, "commands", "reconcile.ts")];
  const options = ["--stack", "test", "--project", mirror.program, ...args];
  const ended = await execute(process.execPath, [...command, ...options], {
    cwd: root,
    env: environment,
    timeout: 540_000,
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    },
  );
  const lines = (await readFile(output, "utf8").catch(() => "")).split("\n").filter(Boolean);
  return {
    status: ended.status,
    stdout: ended.stdout,
    stderr: ended.stderr,
    summary: await readFile(summary, "utf8").catch(() => ""),
    outputs: Object.fromEntries(lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)])),
  };
}
