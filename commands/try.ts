import { CommanderError } from "commander";
import { createRequire } from "node:module";
import { join } from "node:path";
import { apps } from "../apps";
import { checkout } from "../components/engine/checkout";
import { ConfigError } from "../components/config/problems";
import type { AppSpecification } from "../components/model/appSpecification";
import { readTryRequest } from "./try/tryRequest";
import { tryApp } from "./try/tryApp";
import { UsageError } from "./reconcile/usageError";
import { speaker } from "./reconcile/voice";

/** `npm run try -- <app>[@version]`: see `--help`. Exit status 0: built and checked, 1: not, 2: wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const request = readTryRequest(argv, checkout);
    // Paths in app files and configuration are relative to it.
    process.chdir(request.project);
    await tryApp(request, { apps: appsOf(request.project), environment: process.env, voice: speaker() });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    speaker(process.stderr).text(error instanceof Error ? error.message : String(error));
    return [UsageError, ConfigError, SyntaxError].some((kind) => error instanceof kind) ? 2 : 1;
  }
}

/** The app files, wherever the project is. */
function appsOf(project: string): readonly AppSpecification[] {
  if (project === checkout) return apps;
  const { load } = createRequire(join(project, "start.cjs"))("./components/engine/typescript.cjs") as {
    load: (file: string) => { apps: readonly AppSpecification[] };
  };
  return load(join(project, "apps", "index.ts")).apps;
}

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
