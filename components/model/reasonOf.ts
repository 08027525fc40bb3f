/** What is said of an error in a report: its message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
