import { allPoints, nameOf, type SweepPoint } from "./sweepPoint";
import { type PointResult, SweepRig } from "./sweepRig";

/** What a sweep is about. */
export interface SweepOptions {
  /** Chooses among all points; default: all of them. */
  readonly choose?: (points: readonly SweepPoint[]) => readonly SweepPoint[];
  /** Hears of every step, a line each. */
  readonly progress?: (line: string) => void;
  /** Ends the sweep after the point under way. */
  readonly signal?: AbortSignal;
}

/** What came of a sweep. */
export interface SweepResult {
  /** Registry requests of a whole first run without faults. */
  readonly requests: number;
  readonly results: readonly PointResult[];
}

/**
 * Fails the n-th registry request of a whole first `up`, for the points chosen, and looks after each whether nothing was lost
 * and one clean run completed and signed everything.
 * @throws Error when a run without faults is not complete.
 */
export async function sweep({ choose, progress = () => {}, signal }: SweepOptions = {}): Promise<SweepResult> {
  const rig = await SweepRig.start();
  try {
    const requests = await rig.countRequests();
    const points = allPoints(requests);
    const chosen = choose ? choose(points) : points;
    progress(`a whole first run makes ${requests} registry requests: ${points.length} points, ${chosen.length} chosen`);
    const results: PointResult[] = [];
    for (const point of chosen) {
      if (signal?.aborted) break;
      const result = await rig.try(point);
      results.push(result);
      progress(`${results.length}/${chosen.length} ${described(result)}`);
    }
    return { requests, results };
  } finally {
    await rig.stop();
  }
}

/** The last line of a sweep. */
export function sweepSummary({ requests, results }: SweepResult): string {
  const held = results.filter(({ broken }) => broken.length === 0).length;
  const unreached = results.filter(({ reached }) => !reached).length;
  const short = unreached === 0 ? "" : ` (${unreached} of them in runs that ended before that request)`;
  return `${results.length} of ${2 * requests} points tried${short}, ${held} held`;
}

function described({ point, reached, exitCode, broken }: PointResult): string {
  const how = reached ? `run ended with ${exitCode ?? "no status"}` : "not reached";
  return `${nameOf(point)}: ${how}, ${broken.length === 0 ? "held" : `BROKEN: ${broken.join("; ")}`}`;
}
