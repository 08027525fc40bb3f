/**
 * Everything that is wrong with the configuration, found in one reading.
 * Each problem is one line that names the key, the offending value as JSON and what is accepted.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(
    /** What was read, for the first line of the message: `stack configuration`, `environment`. */
    subject: string,
    readonly problems: readonly string[],
  ) {
    const count = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
    super([`${count} in the ${subject}:`, ...problems.map((problem) => `  - ${problem}`)].join("\n"));
  }
}
