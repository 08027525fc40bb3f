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
