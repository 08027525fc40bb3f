import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parsePlatform, type Platform, platformSlug } from "../../components/model/platform";
import { safeText } from "../../components/model/safeText";

const text = z.string().min(1).max(2000);

const schema = z.strictObject({
  app: text,
  version: text,
  platform: z.string().transform((value, context): Platform => {
    try {
      return parsePlatform(value);
    } catch {
      context.addIssue({ code: "custom", message: "no platform" });
      return z.NEVER;
    }
  }),
  seconds: z.number().min(0).optional(),
  reason: text.optional(),
  ofVersion: z.boolean().optional(),
  log: z.array(z.string().max(500)).max(30).optional(),
});

/** How one platform's build of a version went: how long it took, or why it failed. */
export interface BuildOutcome {
  readonly app: string;
  readonly version: string;
  readonly platform: Platform;
  readonly seconds?: number;
  /** Set when it failed. */
  readonly reason?: string;
  /** The reason is what became of the version, which names platforms itself. */
  readonly ofVersion?: boolean;
  /** What a build that failed printed last: platform and step, then lines. */
  readonly log?: readonly string[];
}

const suffix = ".ndjson";

/** Leaves how the builds of a run went beside the build records of its images, whose names end in `.json`. */
export async function writeBuildOutcomes(
  folder: string,
  platforms: readonly Platform[],
  outcomes: readonly BuildOutcome[],
): Promise<void> {
  const name = ["builds", ...platforms.map(platformSlug)].join("-");
  const lines = outcomes.map(
    (outcome) => `${JSON.stringify(outcome.reason === undefined ? outcome : shortened(outcome))}\n`,
  );
  await writeFile(join(folder, `${name}${suffix}`), lines.join(""));
}

/**
 * Reads what build runs left. It decides on nothing but how long to wait before the next try and what a summary says, so
 * lines that do not parse are only counted.
 */
export async function readBuildOutcomes(
  folder: string,
): Promise<{ readonly outcomes: readonly BuildOutcome[]; readonly malformed: number }> {
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith(suffix));
  const files = await Promise.all(names.toSorted().map((name) => readFile(join(folder, name), "utf8")));
  const lines = files.flatMap((content) => content.split("\n").filter((line) => line !== ""));
  const outcomes = lines.flatMap((line) => parsed(line) ?? []);
  return { outcomes, malformed: lines.length - outcomes.length };
}

function parsed(line: string): BuildOutcome | undefined {
  try {
    return schema.parse(JSON.parse(line)) as BuildOutcome;
  } catch {
    return undefined;
  }
}

function shortened(outcome: BuildOutcome): BuildOutcome {
  return { ...outcome, reason: safeText(outcome.reason ?? "") || "it failed" };
}
