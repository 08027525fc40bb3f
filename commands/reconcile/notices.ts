import { z } from "zod";
import { safeText } from "../../components/model/safeText";
import { readKept } from "../../components/system/placeWhole";
import type { RunResult } from "./result";

/** Something about one app that somebody wants to hear of. Texts are safe to print. */
export interface Notice {
  readonly event: "failure" | "recovery" | "publication";
  readonly app: string;
  /** One line for people. */
  readonly title: string;
  /** What is missing or was published, and problems of the app, a line each. */
  readonly lines: readonly string[];
}

/** What was last told of each app: what is missing and wrong, as text that changes only when that does. Complete apps are left out. */
export type Told = Readonly<Record<string, string>>;

const schema = z.record(z.string(), z.string());
/** What a run that published did about a version. */
const published: readonly string[] = ["published", "repaired"];

/** Reads what was told. A file that is absent or malformed: nothing, so that it is told again. */
export function readTold(path: string): Told {
  return readKept(path, schema) ?? {};
}

/**
 * What is to be told of a run, and what has been told after it: a failure once until it changes, a recovery once, and every
 * publication. Apps the run did not deal with are as they were; a run that was asked for part of the work tells of no recovery.
 */
export function noticesOf(
  { stack, apps, versions, whole }: RunResult,
  before: Told,
): { readonly notices: readonly Notice[]; readonly told: Told } {
  const told = new Map(Object.entries(before));
  const notices = apps.flatMap(({ app, problems }): Notice[] => {
    const own = versions.filter((version) => version.app === app);
    const fresh = own.filter(({ outcome }) => published.includes(outcome));
    // What waits for upstream, or whose images wait for other platforms, needs nobody.
    const wrong = own.filter(
      ({ complete, outcome, lastFailure }) =>
        !complete && outcome !== "built" && (outcome !== "waiting" || lastFailure !== undefined),
    );
    const lines = [
      ...wrong.map(({ version, reason, lastFailure = reason }) => line(version, lastFailure)),
      ...problems.map((problem) => safeText(problem)),
    ];
    const state = lines.join("\n");
    const known = told.get(app);
    if (lines.length > 0) told.set(app, state);
    else if (whole) told.delete(app);
    const notice = (event: Notice["event"], title: string, more: readonly string[]): Notice => ({
      ...{ event, app, title: safeText(`${app} ${title} (${stack})`), lines: more },
    });
    return [
      ...(lines.length > 0 && state !== known ? [notice("failure", "is not complete", lines)] : []),
      ...(lines.length === 0 && known !== undefined && whole ? [notice("recovery", "is complete again", [])] : []),
      ...(fresh.length > 0
        ? [
            notice(
              "publication",
              `published ${names(fresh)}`,
              fresh.map(({ version, outcome }) => line(version, outcome)),
            ),
          ]
        : []),
    ];
  });
  return { notices, told: Object.fromEntries([...told].toSorted(([left], [right]) => (left < right ? -1 : 1))) };
}

function names(versions: RunResult["versions"]): string {
  const [first] = versions;
  return versions.length === 1 && first ? first.version : `${versions.length} versions`;
}

function line(version: string, reason: string | undefined): string {
  return safeText(reason === undefined ? version : `${version}: ${reason}`);
}
