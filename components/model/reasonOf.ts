/**
 * What is said of an error in a report: its message, in one line, without what Pulumi's engine puts in front of what a provider
 * said.
 */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .trim()
    .replace(/^(?:Error: )?invocation of \S+ returned an error: /, "")
    .replace(/(:?)\s*[\r\n]\s*(?:- )?/g, (_, colon: string) => (colon === "" ? "; " : ": "));
}
