import { writeKept } from "../system/placeWhole";
import type { AppOutcome } from "../declare/appOutcome";
import type { AppPlan } from "../decide/appPlan";
import { type Platform, platformsIn } from "../model/platform";
import type { AppReport, FloatingReport } from "./appReport";
import type { AppResult, VersionResult } from "./appResult";
import { planReport } from "./planReport";

/** What a run leaves for the program that started it, in the file `MIRROR_REPORT` names. */
export interface RunFile {
  readonly dryRun: boolean;
  readonly apps: readonly AppReport[];
  /** What is built in this run, or would be. */
  readonly building: readonly {
    readonly app: string;
    readonly version: string;
    readonly platform: Platform;
    /** How long the build may take. */
    readonly limitSeconds?: number;
  }[];
  /** All that went wrong is that the registry lets nobody in from here: packages are private, or do not exist yet. */
  readonly onlyUnreadable: boolean;
  /** After `up` only. How long builds took is not known here. */
  readonly results?: readonly AppResult[];
  /** Arguments of `cosign verify` for what this stack signs, where they are known. */
  readonly verify?: readonly string[];
}

/** What a run leaves in that file when it cannot use what it was given: a line for each mistake. */
export interface Mistakes {
  readonly mistakes: readonly string[];
}

/** Puts together what a run leaves. `outcomes` is there after `up` only. */
export function runFile(
  all: readonly AppPlan[],
  verify: RunFile["verify"],
  outcomes?: ReadonlyMap<string, AppOutcome>,
): RunFile {
  const plans = all.filter(({ frozen }) => !frozen);
  return {
    dryRun: outcomes === undefined,
    apps: plans.map((plan) => planReport(plan, attestationGaps(plan))),
    building: plans.flatMap(({ specification, versions }) =>
      versions.flatMap(({ version, plan, records, recipes, attestation }) =>
        [...plan.build, ...(attestation?.scans ?? [])]
          .filter((platform) => !(platform in records))
          .map((platform) => {
            const recipe = recipes.find((candidate) => candidate.platform === platform);
            const limit = recipe && { limitSeconds: recipe.limitSeconds };
            return { app: specification.name, version, platform, ...limit };
          }),
      ),
    ),
    onlyUnreadable: plans.every((plan) => isOnlyUnreadable(plan, plans)),
    ...(verify && { verify }),
    ...(outcomes && { results: plans.map((plan) => appResult(plan, outcomes.get(plan.specification.name))) }),
  };
}

/** Writes what {@link runFile} put together, or the mistakes that were found. */
export async function writeRunFile(path: string, content: RunFile | Mistakes): Promise<void> {
  await writeKept(path, content);
}

/** Version → what is missing beside its index, in a few words each. */
export function attestationGaps({ versions }: AppPlan): ReadonlyMap<string, readonly string[]> {
  return new Map(
    versions.map(({ version, attestation, referrers }) => [
      version,
      [...(attestation?.gaps ?? []), ...(referrers?.gaps ?? [])],
    ]),
  );
}

/** Whether the registry lets nobody read each thing that is wrong with an app, or the base a version is to be built on. */
function isOnlyUnreadable(
  { specification, versions, floatingTags, problems }: AppPlan,
  all: readonly AppPlan[],
): boolean {
  const bases = all.filter((other) => specification.bases?.some(({ app }) => app === other.specification.name));
  const isUnreadable = (plans: readonly AppPlan[], version: string): boolean =>
    plans.some((other) => other.versions.some((one) => one.version === version && one.plan.unreadable));
  return (
    problems.length === floatingTags.filter(({ unreadable }) => unreadable).length &&
    versions.every(({ version, plan, attestation, referrers }) => {
      const problem = plan.problem ?? attestation?.problem ?? referrers?.problem;
      return problem === undefined || plan.unreadable === true || isUnreadable(bases, version);
    })
  );
}

function appResult(plan: AppPlan, outcome: AppOutcome | undefined): AppResult {
  return {
    app: plan.specification.name,
    repository: plan.repository,
    versions: plan.versions.flatMap((planned): VersionResult[] => {
      const ended = outcome?.outcomes[planned.version];
      if (!ended) return [];
      const record = "record" in ended ? ended.record : undefined;
      const made = ended.state === "built" && planned.plan.build.length > 0 ? ended.images : undefined;
      const platforms = platformsIn(made ?? record?.platforms ?? planned.plan.present?.platforms);
      return [
        {
          version: planned.version,
          tag: planned.tag,
          outcome: outcomeWord(planned, ended.state, "reason" in ended ? ended.reason : undefined),
          platforms,
          builds: [],
          ...(record && { digest: record.digest }),
          ...("reason" in ended && { reason: ended.reason }),
          ...("lastFailure" in ended && { lastFailure: ended.lastFailure }),
          ...("lastLog" in ended && { log: ended.lastLog }),
        },
      ];
    }),
    floating: planReport(plan).floating.map((move) => moved(move, outcome)),
    notes: plan.notes,
    problems: outcome?.problems ?? plan.problems,
    unwritten: outcome?.unwritten ?? [],
  };
}

/** A floating tag as it ended, which is not always where it was to go. */
function moved({ to, note, ...move }: FloatingReport, outcome: AppOutcome | undefined): FloatingReport {
  if (to === undefined) return { ...move, ...(note !== undefined && { note }) };
  const version = outcome?.published.floatingTags[move.tag]?.version;
  if (version === undefined && move.from === undefined) {
    const refused = outcome?.unwritten.some(({ tag }) => tag === move.tag);
    return { ...move, note: refused ? "it could not be written" : "nothing it could name was published" };
  }
  return { ...move, ...(version !== undefined && version !== move.from && { to: version }) };
}

function outcomeWord(
  { plan, attestation, referrers }: AppPlan["versions"][number],
  state: string,
  reason?: string,
): VersionResult["outcome"] {
  if (plan.state === "not ours" || plan.state === "moved") return plan.state;
  if (state === "failed" && plan.state === "unknown") return "unknown";
  if (state === "failed") return plan.present ? "incomplete" : "missing";
  if (state === "waiting") return "waiting";
  if (state === "built" && (plan.build.length > 0 || reason !== undefined))
    return reason === undefined ? "built" : plan.present ? "incomplete" : "missing";
  if (plan.build.length > 0) return plan.present ? "repaired" : "published";
  const repaired = [attestation, referrers].some((beside) => beside?.mode === "repair");
  if (plan.state === "missing" || repaired) return "repaired";
  return plan.origin === "adopted" ? "adopted" : "unchanged";
}
