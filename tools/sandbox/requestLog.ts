import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

/** One request as the log has it. */
export interface LoggedRequest {
  /** When it arrived, ISO 8601. */
  readonly time: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** HTTP status; `cut` when a fault rule cut the connection, `aborted` when the client or the part did. */
  readonly status: number | "cut" | "aborted";
  /** Bytes of the answer's body. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * The request log of one part: a text file, one line per request, `TIME METHOD PATH STATUS BYTES MS`, written just before the
 * answer ends, so that who has the answer finds the line. Written synchronously: the log is evidence, also after a SIGKILL.
 */
export class RequestLog {
  private descriptor: number | undefined;

  constructor(readonly file: string) {
    this.descriptor = openSync(file, "a");
  }

  /** Adds a line; after `close` nothing is written, since connections may end later than their part. */
  write({ time, method, path, status, bytes, milliseconds }: LoggedRequest): void {
    if (this.descriptor === undefined) return;
    writeSync(this.descriptor, `${time} ${method} ${path} ${status} ${bytes} ${milliseconds}\n`);
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  /** Reads a log file back; a missing file is an empty log. */
  static read(file: string): readonly LoggedRequest[] {
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map(parseLine);
  }
}

function parseLine(line: string): LoggedRequest {
  const [time = "", method = "", path = "", status = "", bytes = "", milliseconds = ""] = line.split(" ");
  const outcome = status === "cut" || status === "aborted" ? status : Number(status);
  return { time, method, path, status: outcome, bytes: Number(bytes), milliseconds: Number(milliseconds) };
}
