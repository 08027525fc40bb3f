import { constants } from "node:os";
import { CommanderError } from "commander";
import { brokenOff, writeSummary } from "./reconcile/githubFiles";
import { findPulumi, type FoundPulumi } from "./reconcile/findPulumi";
import { reconcile } from "./reconcile/reconcile";
import { readRequest } from "./reconcile/request";
import { UsageError } from "./reconcile/usageError";
import { speaker, Voice } from "./reconcile/voice";
import { checkout } from "../components/engine/checkout";

/** `npm run reconcile`: see `--help` for options and exit status, docs/operations.md for schedules. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const request = readRequest(argv, process.env, checkout);
    const voice = new Voice(request.json, request.phase);
    let found: Promise<FoundPulumi> | undefined;
    const pulumi = (): Promise<FoundPulumi> => (found ??= findPulumi(process.env));
    return await reconcile(request, { pulumi, environment: process.env, voice });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const why = error instanceof Error ? error.message : String(error);
    const { GITHUB_STEP_SUMMARY: summary } = process.env;
    if (summary) await writeSummary(summary, brokenOff(why)).catch(() => undefined);
    if (error instanceof CommanderError) return 2;
    speaker(process.stderr).text(why);
    return error instanceof UsageError ? 2 : 1;
  }
}

// Whoever read the output has seen enough (`| head`). Pulumi, where it runs, is stopped as by Ctrl-C and records what it has done.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (process.listenerCount("SIGTERM") > 0) process.kill(process.pid, "SIGTERM");
  else process.exit(128 + constants.signals.SIGPIPE);
});

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
