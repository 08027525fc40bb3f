/**
 * Functions of the Pulumi library that take a stack trace, and the variable that asks for it. `debuggablePromise` does for every
 * promise, several for each property of each resource, to name those that never settle; `callsites` for every resource, whose
 * place in the program goes into the state. Here all resources come from the same few lines, so that says nothing.
 */
const takers: Readonly<Record<string, string>> = {
  debuggablePromise: "PULUMI_DEBUG_PROMISE_LEAKS",
  callsites: "MIRROR_DEBUG",
};

/**
 * Spares Node the stack traces that the Pulumi library takes for its own use. With source maps each costs a good part of a
 * millisecond, which is most of the time of a run with thousands of resources in which nothing is to be done; and those kept in
 * the state are a third of it, written anew after each step. They stay where the environment asks for them.
 */
export function skipLibraryStacks(environment: NodeJS.ProcessEnv = process.env): void {
  const format = Error.prepareStackTrace?.bind(Error);
  if (!format) return;
  const skipped = new Set(Object.keys(takers).filter((name) => !environment[takers[name] ?? ""]));
  Error.prepareStackTrace = (error, frames) =>
    skipped.has(frames[0]?.getFunctionName() ?? "") ? String(error) : (format(error, frames) as unknown);
}

/**
 * Declares resources without any stack trace being taken: the library takes more than a hundred for each, and even one that
 * nobody formats costs. An error thrown meanwhile has none either.
 */
export function withoutStacks<T>(declare: () => T, environment: NodeJS.ProcessEnv = process.env): T {
  if (Object.values(takers).some((variable) => environment[variable])) return declare();
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return declare();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** A frame in a scoped package whose file lies, after source mapping, right below the scope: `node_modules/@pulumi/output.ts:1`. */
const mappedFrame = /(node_modules[\\/]@[^\\/\s]+)([\\/])(?=[^\\/\s]+:\d)/g;

/**
 * Keeps Node from hanging over a stack trace. Source maps turn `@pulumi/pulumi/output.js` into `@pulumi/output.ts`, and in
 * such a line the colouring `util.inspect` of Node 20 looks for a second path separator until its text has grown to half a
 * gigabyte. Pulumi inspects every error of a program that way, so each would cost half a minute and gigabytes of memory.
 */
export function readableStacks(): void {
  const format = Error.prepareStackTrace?.bind(Error);
  if (!format) return;
  Error.prepareStackTrace = (error, frames) => {
    const stack: unknown = format(error, frames);
    return typeof stack === "string" ? stack.replace(mappedFrame, "$1$2...$2") : stack;
  };
}
