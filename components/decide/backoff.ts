/** What earlier runs recorded about a version that they could not build. */
export interface RecordedFailure {
  /** How often in a row. At least 1. */
  readonly count: number;
  /** When the last try ended, as an ISO 8601 time. */
  readonly last: string;
  /** What went wrong in the last try, one line. */
  readonly reason: string;
  /** What the build printed last in that try: see {@link Tries.logs}. */
  readonly log?: readonly string[];
  /** When the first of these tries ended. */
  readonly since?: string;
}

/** The record: `app/version` → its failure. Losing it only means trying again. */
export type FailureRecord = Readonly<Record<string, RecordedFailure>>;

/** A version that is left alone for now. */
export interface Wait {
  readonly until: Date;
  readonly failure: RecordedFailure;
}

const hour = 3_600_000;

/**
 * Hours between a failure and the next try, by the number of failures in a row; the last one stays. Each is an hour less
 * than a multiple of the schedule's six, or a run that begins a minute earlier than the last one ended would skip a turn.
 */
const intervals = [5, 11, 23, 47, 95, 167] as const;

/** Entries of versions nobody tried for so long belong to versions that are no longer wanted. */
const forgottenAfter = 60 * 24 * hour;

/** The key of a version in the record. */
export function failureKey(app: string, version: string): string {
  return `${app}/${version}`;
}

/**
 * Whether a version is to be left alone, and until when; undefined: try it. A time that does not parse or lies in the
 * future is no reason to wait: a wrong clock must not hold a version back for years.
 */
export function waitOf(failure: RecordedFailure | undefined, now: Date): Wait | undefined {
  const last = failure ? Date.parse(failure.last) : Number.NaN;
  if (!failure || Number.isNaN(last) || last > now.getTime()) return undefined;
  const hours = intervals[Math.min(failure.count, intervals.length) - 1] ?? intervals[0];
  const until = new Date(last + hours * hour);
  return until > now ? { until, failure } : undefined;
}

/** Whether a version failed so often in a row that it is tried once a week and no more: somebody has to look at it. */
export function failedForGood({ count }: RecordedFailure): boolean {
  return count >= intervals.length;
}

/** One line for people: until when, and why. */
export function describeWait({ until, failure }: Wait): string {
  const times = failure.count === 1 ? "once" : `${failure.count} times in a row`;
  return `not tried before ${until.toISOString().slice(0, 16)}Z, because it failed ${times}; the last time: ${failure.reason}`;
}

const day = 24 * hour;

/**
 * Why a version that is not complete is overdue: for more than a day its builds fail, or else it is released, or nobody knows since when
 * it is missing. Undefined: it is not.
 */
export function whyOverdue(
  failure: RecordedFailure | undefined,
  releasedAt: string | undefined,
  now: Date,
): string | undefined {
  const since = Date.parse(failure?.since ?? failure?.last ?? releasedAt ?? "");
  if (Number.isNaN(since)) return "is missing, and nobody knows since when";
  return now.getTime() - since > day ? "has been missing for longer than a day" : undefined;
}

/** What one run found out about versions it tried to build. */
export interface Tries {
  /** Key → reason. */
  readonly failed: ReadonlyMap<string, string>;
  /** Key → what its build printed last: platform and step, then lines. */
  readonly logs?: ReadonlyMap<string, readonly string[]>;
  /** Keys of versions that are complete now. */
  readonly complete: ReadonlySet<string>;
  /** When the run ended. */
  readonly at: Date;
}

/** The record after a run: what failed counts one more, what is complete is forgotten, and so is what nobody wants any more. */
export function recordTries(before: FailureRecord, { failed, logs, complete, at }: Tries): FailureRecord {
  const kept = Object.entries(before).filter(
    ([key, { last }]) => !complete.has(key) && at.getTime() - Date.parse(last) < forgottenAfter,
  );
  const added = [...failed].map(([key, reason]): [string, RecordedFailure] => {
    const known = Object.hasOwn(before, key) ? before[key] : undefined;
    const [now, log] = [at.toISOString(), logs?.get(key)];
    const since = known ? (known.since ?? known.last) : now;
    return [key, { count: (known?.count ?? 0) + 1, last: now, since, reason, ...(log && { log }) }];
  });
  return Object.fromEntries([...kept, ...added].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
