/** Lines in which the CLI says where it found its plugins, which is what the sandbox arranged. */
const pluginLine = /\bwarning:.*\busing pulumi-[\w-]+ from \$PATH\b/;

/** A row of the CLI's plain progress display: sign, type, name, then status and perhaps a message. */
const rowPattern = /^\s*[-+~]*\s+([a-z-]+):[\w/]+:(\w+) (\S+) ?(.*)$/;

/** A status worth a line; what follows it is a line of a build's log. In between, rows repeat the first status. */
const milestone =
  /^(?:create|delete|replace|update|creating \(0s\)|.*\bfailed\b.*)(?=\s*$)|^(?:created|updated|deleted) \([^)]*\)/;

/**
 * What is worth showing of the Pulumi CLI's plain output (`--non-interactive --color never`): the beginning and end of each
 * resource, once, and everything that is no progress display, such as diagnostics and the summary. State across lines: one
 * instance for one run of the CLI.
 */
export class PulumiDigest {
  private readonly shown = new Set<string>();

  /** The line to show for a line of output, if any. */
  line(text: string): string | undefined {
    if (pluginLine.test(text) || /^@ /.test(text)) return undefined;
    const [, provider, type, name, status = ""] = rowPattern.exec(text) ?? [];
    if (provider === undefined) return text;
    // Components and the stack only stand for what is in them.
    const [shown] = milestone.exec(status) ?? [];
    if (!["docker-build", "command"].includes(provider) || shown === undefined) return undefined;
    const row = `  ${type} ${name} ${shown}`;
    if (this.shown.has(row)) return undefined;
    this.shown.add(row);
    return row;
  }
}
