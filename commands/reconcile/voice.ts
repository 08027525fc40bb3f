import { safeJson, safeText } from "../../components/model/safeText";
import type { ReportState } from "../../components/report/appReport";
import type { Outcome } from "../../components/report/appResult";
import { wrapped } from "./wrapped";

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

/**
 * Standard output or standard error, with colours as https://no-color.org has it. Some services give their jobs a terminal, and make
 * a log of it.
 */
export function standardScreen(
  { NO_COLOR, TERM, CI }: NodeJS.ProcessEnv,
  output: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write"> = process.stdout,
): Screen {
  const terminal = output.isTTY && TERM !== "dumb" && !CI;
  return {
    write: (text) => void output.write(text),
    get columns() {
      return terminal ? output.columns || 80 : undefined;
    },
    colours: terminal && !NO_COLOR,
  };
}

const colours = { red: "\x1b[31m", green: "\x1b[32m", yellow: "\x1b[33m" } as const;
type Colour = keyof typeof colours;

/** What stands in a table about a version or a platform of it. */
const states: Readonly<Record<Colour, readonly (ReportState | Outcome)[]>> = {
  green: ["published", "built", "repaired", "adopted"],
  yellow: [
    ...(["will build", "will copy", "will publish", "will repair"] as const),
    ...(["partial", "incomplete", "waiting", "not offered", "gone"] as const),
  ],
  red: ["missing", "unknown", "moved", "not ours"],
};
const cells = new RegExp(`(?<=  )(?:${Object.values(states).flat().join("|")})(?=  |$)`, "g");

/** The colour of a cell. What is missing and will be built is no failure. */
function colourOfState(state: string, row: string): Colour | undefined {
  if (state === "missing" && row.includes("  will ")) return "yellow";
  return (Object.keys(states) as Colour[]).find((colour) => (states[colour] as readonly string[]).includes(state));
}

/** Lines that change at once: what has left the top of a terminal cannot be written anew. */
const mostLive = 12;

/** The colour of a whole line, by what it begins with. */
function colourOf(line: string): Colour | undefined {
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

  /** Text for people only, broken to lines that fit the terminal. */
  text(text: string): void {
    this.print(text, (line) => wrapped(line, this.screen.columns ?? Infinity));
  }

  /** Lines people copy as they are, such as commands. */
  verbatim(lines: readonly string[]): void {
    this.print(lines.join("\n"), (line) => [line]);
  }

  private print(text: string, broken: (line: string) => readonly string[]): void {
    if (this.json || text === "") return;
    const lines = text.replace(/\n+$/, "").split("\n");
    const live = this.live;
    this.show([]);
    this.screen.write(lines.map((line) => `${this.coloured(broken(safeText(line, 2000)))}\n`).join(""));
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

  /** A line of text, which may be several of a terminal. */
  private coloured(lines: readonly string[]): string {
    if (!this.screen.colours) return lines.join("\n");
    const paint = (colour: Colour | undefined, text: string): string =>
      colour === undefined ? text : `${colours[colour]}${text}\x1b[0m`;
    const ofLine = colourOf(lines[0] ?? "");
    if (ofLine !== undefined) return lines.map((line) => paint(ofLine, line)).join("\n");
    return lines.map((line) => line.replace(cells, (state) => paint(colourOfState(state, line), state))).join("\n");
  }
}

/** Says what a command has to tell, on standard output or standard error. */
export function speaker(output: NodeJS.WriteStream = process.stdout): Voice {
  return new Voice(false, "", standardScreen(process.env, output));
}
