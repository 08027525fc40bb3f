import { safeJson, safeText } from "../../components/model/safeText";

/** One step of a run, for machines. Every value may come from upstream. */
export type ReconcileEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/**
 * Says what goes on: to people as text, to machines as JSON lines on standard output. Nothing it prints can start a
 * workflow command or steer a terminal.
 */
export class Voice {
  constructor(
    private readonly json: boolean,
    private readonly phase: string,
    private readonly write: (text: string) => void = (text) => void process.stdout.write(text),
  ) {}

  /** One event, and the text people get for it. */
  say(event: ReconcileEvent, ...lines: readonly string[]): void {
    if (this.json) this.write(`${safeJson({ time: new Date().toISOString(), phase: this.phase, ...event })}\n`);
    else this.text(lines.join("\n"));
  }

  /** Text for people only. */
  text(text: string): void {
    if (this.json || text === "") return;
    const lines = text.replace(/\n+$/, "").split("\n");
    this.write(lines.map((line) => `${safeText(line, 2000)}\n`).join(""));
  }
}
