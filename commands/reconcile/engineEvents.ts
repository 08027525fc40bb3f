import { z } from "zod";

const metadata = z.object({ op: z.string(), urn: z.string(), type: z.string() });
const step = z.object({ metadata });

const schema = z.object({
  timestamp: z.number(),
  diagnosticEvent: z
    .object({
      urn: z.string().default(""),
      severity: z.string(),
      message: z.string(),
      ephemeral: z.boolean().default(false),
    })
    .optional(),
  resourcePreEvent: step.optional(),
  resOutputsEvent: step.optional(),
  resOpFailedEvent: step.optional(),
});

/** What happened to a resource, or a message, as far as it matters here. Times are Unix seconds. */
export type EngineEvent =
  | {
      readonly kind: "begun" | "done" | "failed";
      readonly operation: string;
      readonly type: string;
      /** Last part of the URN. */
      readonly name: string;
      readonly at: number;
    }
  | {
      readonly kind: "message";
      readonly severity: string;
      readonly text: string;
      /** Type and name of the resource it is about; empty: none. */
      readonly type: string;
      readonly name: string;
    }
  /** A line a resource shows while it is worked on: what BuildKit prints. */
  | { readonly kind: "output"; readonly text: string; readonly type: string; readonly name: string };

/**
 * Reads the lines of Pulumi's event log, which come in pieces while it grows. A line that is not understood is skipped:
 * the log is one of Pulumi's debugging aids, and nothing that matters may hang on its form.
 */
export class EngineEventReader {
  private rest = "";

  /** Events of the lines that end in this piece. */
  read(piece: string): readonly EngineEvent[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    return lines.flatMap(parseLine);
  }
}

function parseLine(line: string): readonly EngineEvent[] {
  const parsed = schema.safeParse(json(line));
  if (!parsed.success) return [];
  const { timestamp, diagnosticEvent: message, resourcePreEvent, resOutputsEvent, resOpFailedEvent } = parsed.data;
  if (message) {
    const { severity, urn } = message;
    const said = { text: withoutMarkup(message.message), type: typeOf(urn), name: nameOf(urn) };
    return [message.ephemeral ? { kind: "output", ...said } : { kind: "message", severity, ...said }];
  }
  const found = [
    ["begun", resourcePreEvent],
    ["done", resOutputsEvent],
    ["failed", resOpFailedEvent],
  ] as const;
  return found.flatMap(([kind, event]) => {
    if (!event) return [];
    const { op: operation, type, urn } = event.metadata;
    return [{ kind, operation, type, name: nameOf(urn), at: timestamp }];
  });
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The type in `urn:pulumi:stack::project::parent$type::name`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/** Pulumi marks colours as `<{%red%}>`. */
function withoutMarkup(message: string): string {
  return message.replace(/<\{%[^%]*%\}>/g, "").trimEnd();
}
