import { safeJson, safeText } from "../../components/model/safeText";

/** One step of a run, for machines. Every value may come from upstream. */
export type ReconcileEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/** Where text for people goes. */
export interface Screen {
  readonly write: (text: string) => void;
  /** A terminal of so many columns, on which lines can be written anew; undefined: a log. */
  readonly columns?: number | undefined;
  /** Colours may be used. They only repeat what words and symbols say. */
  readonly colours: boolean;
}

/** Standard output, with colours as https://no-color.org has it. Some services give their jobs a terminal, and make a log of it. */
export function standardScreen(
  { NO_COLOR, TERM, CI }: NodeJS.ProcessEnv,
  output: Pick<NodeJS.WriteStream, "isTTY" | "columns"> = process.stdout,
): Screen {
  const terminal = output.isTTY && TERM !== "dumb" && !CI;
  return {
    write: (text) => void process.stdout.write(text),
    get columns() {
      return terminal ? output.columns || 80 : undefined;
    },
    colours: terminal && !NO_COLOR,
  };
}

const colours = { red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m" } as const;

/** Lines that change at once: what has left the top of a terminal cannot be written anew. */
const mostLive = 12;

/** The colour of a line, by what it begins with. */
function colourOf(line: string): keyof typeof colours | undefined {
  if (/^\s*(?:✗|- PROBLEM|error:)/.test(line)) return "red";
  if (/^\s*✓/.test(line)) return "green";
  return /^\s*(?:warning:|note:)/.test(line) ? "yellow" : undefined;
}

/**
 * Says what goes on: to people as text, to machines as JSON lines on standard output. Nothing it prints can start a
 * workflow command or steer a terminal, beside the colours and the live lines of its own.
 */
export class Voice {
  /** Lines at the end of the terminal that change. */
  private live: readonly string[] = [];

  constructor(
    private readonly json: boolean,
    private readonly phase: string,
    private readonly screen: Screen = standardScreen(process.env),
  ) {}

  /** Whether {@link show} shows anything. */
  get isLive(): boolean {
    return !this.json && this.screen.columns !== undefined;
  }

  /** One event, and the text people get for it. */
  say(event: ReconcileEvent, ...lines: readonly string[]): void {
    const { write } = this.screen;
    if (this.json) write(`${safeJson({ time: new Date().toISOString(), phase: this.phase, ...event })}\n`);
    else this.text(lines.join("\n"));
  }

  /** Text for people only. */
  text(text: string): void {
    if (this.json || text === "") return;
    const lines = text.replace(/\n+$/, "").split("\n");
    const live = this.live;
    this.show([]);
    this.screen.write(lines.map((line) => `${this.coloured(safeText(line, 2000))}\n`).join(""));
    this.show(live);
  }

  /** Lines that take the place of those shown before, below all text, each cut to the terminal's width. Nothing in a log. */
  show(lines: readonly string[]): void {
    const { columns, write } = this.screen;
    if (!this.isLive || columns === undefined) return;
    // Whoever pressed a key has moved the cursor. Characters of two columns must not wrap, or too few lines were erased.
    const erase = this.live.length === 0 ? "" : `\r\x1b[${this.live.length}A\x1b[J`;
    const more = lines.length - mostLive;
    this.live = more > 0 ? [...lines.slice(0, mostLive), `… and ${more} more`] : lines;
    const shown = this.live.map((line) => `${safeText(line, columns - 1)}\n`).join("");
    if (erase + shown !== "") write(`${erase}${shown === "" ? "" : `\x1b[?7l${shown}\x1b[?7h`}`);
  }

  private coloured(line: string): string {
    const colour = this.screen.colours ? colourOf(line) : undefined;
    return colour === undefined ? line : `${colours[colour]}${line}\x1b[0m`;
  }
}
