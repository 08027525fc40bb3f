import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { AppResult } from "../../components/report/appResult";
import type { RunFile } from "../../components/report/runFile";

const version = z.object({
  app: z.string(),
  version: z.string(),
  /** Whether it is published whole and nothing is wrong with it. */
  complete: z.boolean(),
  /** As the summary says it. */
  outcome: z.string(),
  reason: z.string().optional(),
});

const schema = z.object({
  good: z.boolean(),
  apps: z.array(z.object({ app: z.string(), problems: z.array(z.string()) })),
  versions: z.array(version),
});

/** What one run found or did, in few words: what `--result` leaves for `npm run issues`. Text may come from upstream. */
export type RunResult = z.output<typeof schema>;

const settled: readonly string[] = ["published", "adopted", "not offered", "-"];
const troubled: readonly string[] = ["unknown", "moved", "waiting"];

/** The result of a run that only looked, or with `results` of one that did something. */
export function resultOf(run: RunFile, results: readonly AppResult[] | undefined, good: boolean): RunResult {
  const versions = results
    ? results.flatMap(({ app, versions: rows }) =>
        rows.map(({ version: name, outcome, reason }) => ({
          app,
          version: name,
          complete: outcome !== "missing" && outcome !== "waiting",
          outcome,
          ...(reason !== undefined && { reason }),
        })),
      )
    : run.apps.flatMap(({ app, versions: rows }) =>
        rows.map(({ version: name, state, problem, notes = [], platforms }) => ({
          app,
          version: name,
          complete:
            problem === undefined &&
            !troubled.includes(state) &&
            platforms.every((platform) => settled.includes(platform.state)),
          outcome: state,
          ...reasonOf(problem ?? (state === "waiting" ? notes.at(-1) : undefined)),
        })),
      );
  return { good, apps: run.apps.map(({ app, problems }) => ({ app, problems: [...problems] })), versions };
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** Leaves the result in a file. */
export async function writeResult(path: string, result: RunResult): Promise<void> {
  await writeFile(path, `${JSON.stringify(result, undefined, 2)}\n`);
}

/** @throws Error naming the file when it cannot be read as a result. */
export async function readResult(path: string): Promise<RunResult> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(`${JSON.stringify(path)} cannot be read as the result of a run`, { cause });
  }
}
