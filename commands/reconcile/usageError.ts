/** The command cannot be carried out as it was given: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
