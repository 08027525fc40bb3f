import type { Comparison } from "./result";
import type { Workshop } from "./workshop";

/** How much is measured. */
export interface BenchOptions {
  /** How often each contestant runs. */
  readonly rounds: number;
  /** Small sizes: shows that everything works, says nothing about speed. */
  readonly quick: boolean;
  /** Milliseconds added to each registry request while something is measured. */
  readonly latency: number;
  /** Told what happens. */
  readonly progress: (line: string) => void;
}

/** One benchmark of the table. Rejects when a contestant fails or what it left in the registry is not right. */
export interface Benchmark {
  /** `P1`. */
  readonly id: string;
  readonly measure: (workshop: Workshop, options: BenchOptions) => Promise<readonly Comparison[]>;
}
