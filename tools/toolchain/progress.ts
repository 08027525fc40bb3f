/** Receives one line for the person waiting. */
export type Progress = (line: string) => void;

const heartbeat = 15_000;
const notable = 3_000;

/**
 * Runs a step that may take long: says so when it begins, every fifteen seconds while it lasts, and when it is over
 * if that took more than three seconds. `label` is a phrase such as "building cosign 3.1.3".
 */
export async function withProgress<T>(progress: Progress, label: string, step: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const elapsed = (): string => `${Math.round((Date.now() - begun) / 1000)} s`;
  progress(`${label} …`);
  const timer = setInterval(() => progress(`${label} … ${elapsed()}`), heartbeat);
  try {
    const result = await step();
    if (Date.now() - begun > notable) {
      progress(`${label}: done after ${elapsed()}`);
    }
    return result;
  } finally {
    clearInterval(timer);
  }
}
