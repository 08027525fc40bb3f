import { existsSync, readFileSync } from "node:fs";

/** One step of the engine: what it does, or in a preview would do, to a resource. */
interface Step {
  /** `create`, `update`, `delete`, `same`, `read`, `refresh`, … */
  readonly operation: string;
  readonly type: string;
  /** Last part of the URN. */
  readonly name: string;
}

/** What a Pulumi command did, or a `reconcile` in its place. */
export interface PulumiRun {
  /** Exit status; null when it was killed. */
  readonly exitCode: number | null;
  /** Standard output and standard error as they came. */
  readonly output: string;
  readonly steps: readonly Step[];
  /** Diagnostics of severity warning and error, by severity, without colours. */
  readonly diagnostics: readonly { readonly severity: string; readonly name: string; readonly message: string }[];
  /** Stack outputs after the command; those of an earlier run when this one wrote none. */
  readonly outputs: Outputs;
}

/** The stack outputs of the program. */
export interface Outputs {
  readonly published?: Readonly<Record<string, PublishedAppOutput>>;
  readonly missing?: readonly string[];
  readonly problems?: readonly string[];
}

/** What the program records about one app. */
export interface PublishedAppOutput {
  readonly repository: string;
  readonly versions: Readonly<
    Record<
      string,
      { readonly digest: string; readonly origin: string; readonly platforms: Readonly<Record<string, string>> }
    >
  >;
  readonly floatingTags: Readonly<Record<string, { readonly version: string; readonly digest: string }>>;
}

interface EngineEvent {
  readonly resourcePreEvent?: {
    readonly metadata: { readonly op: string; readonly urn: string; readonly type: string };
  };
  readonly diagnosticEvent?: { readonly severity: string; readonly urn?: string; readonly message: string };
}

/**
 * Reads what the engine did out of its event log; undefined when it was not started. Steps that only refresh or read are left out:
 * see {@link changesOf}.
 */
export function readEvents(file: string): Pick<PulumiRun, "steps" | "diagnostics"> | undefined {
  if (!existsSync(file)) return undefined;
  const events = readFileSync(file, "utf8").split("\n").flatMap(parseEvent);
  return {
    steps: events.flatMap(({ resourcePreEvent }) => {
      if (!resourcePreEvent) return [];
      const { op, urn, type } = resourcePreEvent.metadata;
      return [{ operation: op, type, name: nameOf(urn) }];
    }),
    diagnostics: events.flatMap(({ diagnosticEvent }) => {
      if (!diagnosticEvent || !["warning", "error"].includes(diagnosticEvent.severity)) return [];
      const { severity, urn = "", message } = diagnosticEvent;
      // That a plugin comes from PATH says something about the sandbox only.
      if (message.includes("using pulumi-")) return [];
      return [{ severity, name: nameOf(urn), message: plain(message) }];
    }),
  };
}

/** The names of the resources a run created, updated, replaced or deleted, as `operation name`, sorted; components and providers left out. */
export function changesOf({ steps }: Pick<PulumiRun, "steps">): readonly string[] {
  return steps
    .filter(({ operation, type }) => !["same", "refresh", "read"].includes(operation) && !isBookkeeping(type))
    .map(({ operation, name }) => `${operation} ${name}`)
    .toSorted();
}

/** The texts of a run's errors, one after the other. */
export function errorsOf({ diagnostics }: Pick<PulumiRun, "diagnostics">): string {
  return diagnostics.flatMap(({ severity, message }) => (severity === "error" ? [message] : [])).join("\n");
}

function isBookkeeping(type: string): boolean {
  return type.startsWith("multiarch-mirror:") || type.startsWith("pulumi:");
}

/** A killed engine leaves half a line. */
function parseEvent(line: string): readonly EngineEvent[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as EngineEvent];
  } catch {
    return [];
  }
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

function plain(message: string): string {
  return message.replace(/<\{%[^%]*%\}>/g, "").trim();
}
