/** Time as the client sees it, so that tests need not wait. Milliseconds throughout. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** The machine's clock. `now` is monotonic: a corrected wall clock neither expires nor revives a token. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
