import { createRequire } from "node:module";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { checkout } from "../../components/engine/checkout";
import { ConfigError } from "../../components/config/problems";
import { reasonOf } from "../../components/model/reasonOf";
import { stackState } from "../../components/probe/stackState";
import type { Mistakes, RunFile } from "../../components/report/runFile";
import type { lookOnly } from "../../lookOnly";
import type { KeptState } from "./keptState";
import { looksOnly, type ReconcileRequest } from "./request";
import { readStackConfig } from "./stackConfig";
import type { Voice } from "./voice";

/** What looking needs besides the request. */
export interface LookContext {
  /** Text of the stack's configuration. */
  readonly config: string;
  /** The environment that says what the run is to do. */
  readonly environment: NodeJS.ProcessEnv;
  /** What the last run left; undefined: the state is thrown away, or there is none yet. */
  readonly state: Promise<KeptState | undefined>;
  readonly voice: Voice;
}

/** What a look without Pulumi found. */
export interface FirstLook {
  /** Undefined: it broke off. */
  readonly left: RunFile | Mistakes | undefined;
  /** Something is to be done: in the registry, or else about what the state records. */
  readonly work: { readonly registry: boolean; readonly state: boolean };
  /** What was found, to print. */
  readonly text: string;
  /** What went wrong, to print. */
  readonly errors: readonly string[];
}

/**
 * Looks what there is to do, by the same program as Pulumi runs, but without Pulumi.
 * @returns undefined when only Pulumi can read what the stack is configured with.
 */
export async function lookFirst(
  request: ReconcileRequest,
  { config, environment, state, voice }: LookContext,
): Promise<FirstLook | undefined> {
  const { project } = request;
  try {
    const stack = readStackConfig(await readFile(join(project, "Pulumi.yaml"), "utf8"), config);
    if (stack.sealed.length > 0) {
      const text = `only Pulumi can read ${stack.sealed.join(", ")} of the stack's configuration`;
      voice.say({ event: "message", severity: "info", text }, text);
      return undefined;
    }
    const warn = async (text: string): Promise<void> =>
      voice.say({ event: "message", severity: "warning", text }, `warning: ${text}`);
    // Paths in the configuration and in app files are relative to it, as for Pulumi, which runs the program there.
    process.chdir(project);
    const looked = await (
      await lookOf(project)
    )({
      ...{ stackConfig: stack.own, github: stack.github, environment, warn },
      dryRun: looksOnly(request),
      stack: request.stack.split("/").at(-1) ?? "",
      outputs: async () => (await state)?.outputs ?? {},
      state: async () => stackState((await state)?.resources ?? []),
    });
    if ("mistakes" in looked) return brokenOff(looked, looked.message);
    const { run: left, text, work, outputs, failure } = looked;
    const kept = await state;
    return {
      ...{ left, text, errors: failure === "" ? [] : [failure] },
      work: { registry: work, state: kept !== undefined && !isDeepStrictEqual(outputs, kept.outputs) },
    };
  } catch (error) {
    if (error instanceof ConfigError) return brokenOff({ mistakes: error.problems }, error.message);
    // An app's file, say, that is no TypeScript.
    if (error instanceof SyntaxError) return brokenOff({ mistakes: error.message.split("\n") }, error.message);
    return brokenOff(undefined, reasonOf(error));
  }
}

function brokenOff(left: Mistakes | undefined, error: string): FirstLook {
  return {
    left: left && { mistakes: left.mistakes },
    text: "",
    errors: [error],
    work: { registry: false, state: false },
  };
}

/** The program's own look, wherever the program is. @throws SyntaxError with the place in an app's file that is wrong. */
async function lookOf(project: string): Promise<typeof lookOnly> {
  const { load, located } = createRequire(join(project, "start.cjs"))("./components/engine/typescript.cjs") as {
    load: (file: string) => { lookOnly: typeof lookOnly };
    located: (error: unknown) => unknown;
  };
  if (project !== checkout) return load(join(project, "lookOnly.ts")).lookOnly;
  try {
    return (await import("../../lookOnly")).lookOnly;
  } catch (error) {
    throw located(error);
  }
}
