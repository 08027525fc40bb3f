import type { Clock } from "../../components/system/clock";

/** Time that passes only by sleeping, and at once; what was slept is kept. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  time = 1_000_000;

  now(): number {
    return this.time;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds);
    this.time += milliseconds;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
