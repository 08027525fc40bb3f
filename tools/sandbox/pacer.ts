import { Transform, type TransformCallback } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A stream that passes a body on at a limited speed and ends after a limited number of bytes; what comes later is dropped.
 * `onLimit` is called once, when byte number `limit` has been passed on, and before the stream's end is announced.
 */
export class Pacer extends Transform {
  private passed = 0;

  constructor(
    private readonly limits: { readonly bytesPerSecond?: number | undefined; readonly limit?: number | undefined },
    private readonly onLimit: () => void = () => {},
  ) {
    super();
    if (limits.limit === 0) this.reachLimit();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    void this.pass(chunk).then(() => done(), done);
  }

  private async pass(chunk: Buffer): Promise<void> {
    const { bytesPerSecond, limit = Infinity } = this.limits;
    // A tenth of a second's worth at a time keeps slow bodies trickling instead of coming in bursts.
    const step = bytesPerSecond === undefined ? chunk.length : Math.max(1, Math.ceil(bytesPerSecond / 10));
    for (let offset = 0; offset < chunk.length && this.passed < limit;) {
      const end = Math.min(chunk.length, offset + step, offset + limit - this.passed);
      this.push(chunk.subarray(offset, end));
      this.passed += end - offset;
      if (this.passed >= limit) return this.reachLimit();
      if (bytesPerSecond !== undefined) await sleep(((end - offset) / bytesPerSecond) * 1000);
      offset = end;
    }
  }

  private reachLimit(): void {
    this.onLimit();
    this.push(null);
  }
}
