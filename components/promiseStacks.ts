/**
 * Spares Node the stack traces of promises. The Pulumi library keeps one for every promise it makes, several for each property of
 * each resource, to name those that never settle; with source maps each takes a good part of a millisecond, which is most of the
 * time of a run with thousands of resources in which nothing is to be done. Where PULUMI_DEBUG_PROMISE_LEAKS asks for them they stay.
 */
export function skipPromiseStacks(environment: NodeJS.ProcessEnv = process.env): void {
  const format = Error.prepareStackTrace?.bind(Error);
  if (!format || environment["PULUMI_DEBUG_PROMISE_LEAKS"]) return;
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : (format(error, frames) as unknown);
}
