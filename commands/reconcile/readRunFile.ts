import { z } from "zod";
import type { Platform } from "../../components/model/platform";
import type { AppReport } from "../../components/report/appReport";
import type { AppResult } from "../../components/report/appResult";
import type { Mistakes, RunFile } from "../../components/report/runFile";
import { readKept } from "../../components/system/placeWhole";

/** Our own program wrote it in this very run, so only what would break the reader is looked at. */
const app = z.looseObject({
  app: z.string(),
  repository: z.string(),
  versions: z.array(z.looseObject({ version: z.string() })),
});

const mistaken = z.object({ mistakes: z.array(z.string()) });

const schema = z.object({
  dryRun: z.boolean(),
  apps: z.array(app),
  onlyUnreadable: z.boolean(),
  building: z.array(
    z.object({
      app: z.string(),
      version: z.string(),
      platform: z.custom<Platform>(),
      limitSeconds: z.number().exactOptional(),
    }),
  ),
  results: z.array(app).optional(),
  verify: z.array(z.string()).optional(),
});

/** Reads what the program left; undefined: it broke off before that. */
export function readRunFile(path: string): RunFile | Mistakes | undefined {
  const left = readKept(path, z.union([mistaken, schema]));
  if (left === undefined || "mistakes" in left) return left;
  const { apps, results, verify, ...rest } = left;
  return {
    ...rest,
    apps: apps as unknown as readonly AppReport[],
    ...(results && { results: results as unknown as readonly AppResult[] }),
    ...(verify && { verify }),
  };
}
