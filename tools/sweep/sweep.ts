import { type Entry, usualEntry } from "../../test/e2e/support/entry";
import { dealt } from "./groups";
import { allPoints, nameOf, type SweepPoint } from "./sweepPoint";
import { SweepRig, type TryResult } from "./sweepRig";

/** What a sweep is about. */
export interface SweepOptions {
  /** What the runs are started through; else {@link usualEntry}. */
  readonly through?: Entry;
  /** Chooses among all points; default: all of them. */
  readonly choose?: (points: readonly SweepPoint[]) => readonly SweepPoint[];
  /**
   * So many faults in each run, spread over it; default 1. What does not hold is then tried fault by fault, and so is a fault that
   * was not reached because of those before it.
   */
  readonly together?: number;
  /** Hears of every step, a line each. */
  readonly progress?: (line: string) => void;
  /** Ends the sweep after the run under way. */
  readonly signal?: AbortSignal;
}

/** How a point went. */
interface PointResult {
  readonly point: SweepPoint;
  /** The run was long enough for the fault to happen. */
  readonly reached: boolean;
  /** What did not hold, a line each; none when the point held. */
  readonly broken: readonly string[];
}

/** What came of a sweep. */
export interface SweepResult {
  /** Registry requests of a whole first run without faults. */
  readonly requests: number;
  readonly results: readonly PointResult[];
  /** Runs with several faults that did not hold. Each of their faults has a result of its own as well. */
  readonly brokenTogether: readonly TryResult[];
}

/** Tries points, as many as there are in one run. */
export type TryPoints = (points: readonly SweepPoint[]) => Promise<TryResult>;

/**
 * Fails the n-th registry request of a whole first run, for the points chosen, and looks after each run whether nothing was
 * lost and one clean run completed and signed everything.
 * @throws Error when a run without faults is not complete.
 */
export async function sweep(options: SweepOptions = {}): Promise<SweepResult> {
  const rig = await SweepRig.start(options.through ?? usualEntry());
  try {
    const requests = await rig.countRequests();
    const points = allPoints(requests);
    const chosen = options.choose ? options.choose(points) : points;
    options.progress?.(
      `a whole first run makes ${requests} registry requests: ${points.length} points, ${chosen.length} chosen`,
    );
    return { requests, ...(await tryAll(chosen, (group) => rig.try(group), options)) };
  } finally {
    await rig.stop();
  }
}

/** Tries points in groups, and alone what says nothing as part of a group. */
export async function tryAll(
  points: readonly SweepPoint[],
  attempt: TryPoints,
  { together = 1, progress = () => {}, signal }: Omit<SweepOptions, "choose" | "through">,
): Promise<Omit<SweepResult, "requests">> {
  const results: PointResult[] = [];
  const brokenTogether: TryResult[] = [];
  let waiting = points;
  for (let size = together; waiting.length > 0; size = Math.floor(size / 2) || 1) {
    const again: SweepPoint[] = [];
    for (const group of dealt(waiting, size)) {
      if (signal?.aborted) return { results, brokenTogether };
      const result = await attempt(group);
      const { reached, broken } = result;
      if (group.length === 1) results.push(...group.map((point) => ({ point, reached: reached.length > 0, broken })));
      else if (broken.length === 0) results.push(...reached.map((point) => ({ point, reached: true, broken })));
      if (group.length > 1) {
        if (broken.length > 0) brokenTogether.push(result);
        again.push(...group.filter((point) => broken.length > 0 || !reached.includes(point)));
      }
      progress(`${results.length}/${points.length} ${described(result)}`);
    }
    waiting = again;
  }
  return { results, brokenTogether };
}

/** Whether everything held, and something was tried at all. */
export function held({ results, brokenTogether }: Omit<SweepResult, "requests">): boolean {
  return results.length > 0 && [...results, ...brokenTogether].every(({ broken }) => broken.length === 0);
}

/** The last line of a sweep. */
export function sweepSummary({ requests, results, brokenTogether }: SweepResult): string {
  const whole = results.filter(({ broken }) => broken.length === 0).length;
  const unreached = results.filter(({ reached }) => !reached).length;
  const short = unreached === 0 ? "" : ` (${unreached} of them in runs that ended before that request)`;
  const groups = brokenTogether.length === 0 ? "" : `; ${brokenTogether.length} runs with several faults did not hold`;
  return `${results.length} of ${2 * requests} points tried${short}, ${whole} held${groups}`;
}

function described({ points, reached, exitCode, broken }: TryResult): string {
  const how = `run ended with ${exitCode ?? "no status"}`;
  const unreached = points.length - reached.length;
  const short = unreached === 0 ? "" : ` (${unreached} not reached)`;
  const what = broken.length === 0 ? "held" : `BROKEN: ${broken.join("; ")}`;
  return `${points.map(nameOf).join(", ")}${short}: ${how}, ${what}`;
}
