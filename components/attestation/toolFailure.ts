import type { ToolResult } from "./toolProcess";

const secrets = /PASSWORD|TOKEN|SECRET|PRIVATE|CREDENTIAL/i;
const shownLength = 1500;

/**
 * The error for a tool that ended with a status other than 0: subcommand, status, and the end of what it wrote, printable
 * and without any value of a secret-looking environment variable.
 */
export function toolFailure(
  tool: string,
  argv: readonly string[],
  result: ToolResult,
  environment: NodeJS.ProcessEnv,
): Error {
  const said = printable(redacted(result.stderr.trim() || result.stdout.trim(), environment)).slice(-shownLength);
  return new Error(
    `${tool} ${argv[0] ?? ""} for ${argv.at(-1) ?? ""} ended with status ${result.status}: ${said || "it wrote nothing"}`,
  );
}

function redacted(text: string, environment: NodeJS.ProcessEnv): string {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    secrets.test(name) && value !== undefined && value.length >= 4 ? [value] : [],
  );
  return values.reduce((shown, value) => shown.replaceAll(value, "[secret]"), text);
}

/** Control characters could forge lines of the log, or colour it. */
function printable(text: string): string {
  return text.replace(/\s*\n\s*/g, " | ").replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}
