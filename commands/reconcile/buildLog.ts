/** A step of a build that failed, and what it printed last. */
export interface FailedStep {
  /** As BuildKit names it: `[2/7] RUN make`. */
  readonly name: string;
  readonly lines: readonly string[];
}

/** Enough to see what went wrong, and what led to it. */
const shownLines = 20;
/** Steps go on at the same time, so those of one are found among the lines of others. */
const keptLines = 2000;

/** A line a build printed as a terminal would show it, without colours: what a carriage return has overwritten is gone. */
export function printedLine(text: string): string {
  return text
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, "")
    .replace(/\r+$/, "")
    .replace(/^(#\d+ (?:\d+\.\d+ )?)?.*\r/s, "$1")
    .replaceAll("\t", "    ");
}

/** What BuildKit prints of one build as plain text: each line begins with the number of its step. */
export class BuildLog {
  private lines: string[] = [];
  private readonly names = new Map<string, string>();
  private failed: string | undefined;
  /** The step that was named last. */
  step: string | undefined;

  add(line: string): void {
    const text = printedLine(line);
    const [, number, rest = ""] = /^#(\d+) (.*)$/s.exec(text) ?? [];
    if (number !== undefined && (rest.startsWith("[") || !this.names.has(number))) this.names.set(number, rest);
    if (isInstruction(rest)) this.step = rest;
    // Later errors are those of steps cancelled because of the first.
    if (number !== undefined && rest.startsWith("ERROR") && !isOptional(this.names.get(number))) this.failed ??= number;
    this.lines.push(text);
    if (this.lines.length > 2 * keptLines) this.lines = this.lines.slice(-keptLines);
  }

  /**
   * The step that failed, without the times in front of its lines; where none says so, as when a build was cut off, the one of
   * the Dockerfile that printed last and did not end. Pulumi's provider may lose the last lines of a build that fails.
   */
  get failedStep(): FailedStep | undefined {
    const ended = new Set(this.lines.flatMap((line) => /^#(\d+) (?:DONE |CACHED$)/.exec(line)?.[1] ?? []));
    const isOpen = (number: string): boolean => !ended.has(number) && isInstruction(this.names.get(number));
    const printing = this.lines.flatMap((line) => /^#(\d+) -?\d/.exec(line)?.[1] ?? []);
    const number = this.failed ?? printing.findLast(isOpen);
    if (number === undefined) return undefined;
    const prefix = `#${number} `;
    const own = this.lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
    const name = this.names.get(number) ?? prefix.trim();
    const said = own.filter((line) => line !== name && !/^(?:\[|DONE |CACHED$|CANCELED$)/.test(line));
    const printed = said.map((line) => line.replace(/^-?\d+\.\d+(?: |$)/, "")).filter((line) => line !== "");
    return { name, lines: printed.slice(-shownLines) };
  }
}

/** Whether a step is one of the Dockerfile. */
function isInstruction(name: string | undefined): boolean {
  return name?.startsWith("[") === true && !name.startsWith("[internal]");
}

/** Whether a build goes on without a step: a cache need not be there, and before the first build of an app none is. */
function isOptional(name: string | undefined): boolean {
  return name?.startsWith("importing cache manifest from ") === true;
}
