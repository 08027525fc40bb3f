import type { FaultRule } from "../sandbox/faultRule";

/** What happens to a request: answered 500 without asking the registry, or carried out and its answer cut off. */
const sweepFaults = ["500", "cut"] as const;

/** One of {@link sweepFaults}. */
type SweepFault = (typeof sweepFaults)[number];

/** One run of the sweep: the n-th registry request of a whole first run (1 is the first) fails. */
export interface SweepPoint {
  readonly n: number;
  readonly fault: SweepFault;
}

/** Every point there is for a run of so many requests, in order. */
export function allPoints(requests: number): readonly SweepPoint[] {
  const numbers = Array.from({ length: requests }, (_, position) => position + 1);
  return numbers.flatMap((n) => sweepFaults.map((fault): SweepPoint => ({ n, fault })));
}

/** The rule of the fault proxy that makes the point. */
export function ruleOf({ n, fault }: SweepPoint): FaultRule {
  const what: Partial<FaultRule> =
    fault === "500" ? { status: 500, body: { errors: [{ code: "UNKNOWN", message: "swept" }] } } : { cut: "response" };
  return { name: nameOf({ n, fault }), part: "registry", nth: n, times: 1, ...what };
}

/** How a point is named in reports: `request 17 answered 500`. */
export function nameOf({ n, fault }: SweepPoint): string {
  return `request ${n} ${fault === "500" ? "answered 500" : "cut"}`;
}
