/** Waits until something is so, looking again and again. @throws Error naming it when it never is. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A bound against hanging, far beyond what anything takes. */
const limitMs = 540_000;
