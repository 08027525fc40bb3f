import type { Environment } from "./environment";

/** Lines of a POSIX shell that export the variables, whatever is in their values. */
export function shellExports(env: Environment): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join("");
}
