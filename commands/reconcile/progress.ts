import type { EngineEvent } from "./engineEvents";

/** One platform image that was built, or is being built. */
export interface ObservedBuild {
  readonly state: "building" | "built" | "failed";
  /** So far known; whole seconds. */
  readonly seconds: number;
  /** When it failed: the last line of BuildKit's error, if there was one. */
  readonly failure?: string;
  /** When it failed: the last lines BuildKit printed. */
  readonly output?: readonly string[];
}

/** Enough to see what went wrong, and what led to it. */
const keptLines = 60;

const image = "docker-build:index:Image";

/** Resources that stand for work in the registry. Components and providers are bookkeeping. */
const work = [image, "docker-build:index:Index", "command:local:Command"];

const changing = ["create", "update", "replace", "create-replacement"];

/** What the engine's events say about a run, while it goes on. */
export class Progress {
  private readonly begun = new Map<string, number>();
  private readonly builds = new Map<string, ObservedBuild>();
  private readonly failures = new Map<string, string>();
  private readonly outputs = new Map<string, readonly string[]>();
  private readonly texts: string[] = [];
  private operations = 0;

  observe(event: EngineEvent): void {
    if (event.kind === "message") {
      if (event.severity === "error") this.texts.push(event.text);
      const last = event.text.trim().split("\n").at(-1)?.trim();
      if (event.severity === "error" && event.type === image && last) this.failures.set(event.name, last);
      return;
    }
    if (event.kind === "output") {
      const lines = [...(this.outputs.get(event.name) ?? []), event.text].slice(-keptLines);
      if (event.type === image && event.text !== "") this.outputs.set(event.name, lines);
      return;
    }
    const { kind, operation, type, name, at } = event;
    if (!changing.includes(operation) || !work.includes(type)) return;
    if (kind === "begun") {
      this.operations += 1;
      this.begun.set(name, at);
    }
    if (type !== image) return;
    const seconds = Math.max(0, at - (this.begun.get(name) ?? at));
    const states = { begun: "building", done: "built", failed: "failed" } as const;
    this.builds.set(name, { state: states[kind], seconds });
    if (kind === "done") this.outputs.delete(name);
  }

  /** The build of the image resource of that name; undefined: none was begun. */
  build(name: string): ObservedBuild | undefined {
    const build = this.builds.get(name);
    if (build?.state !== "failed") return build;
    const failure = this.failures.get(name);
    return { ...build, output: this.outputs.get(name) ?? [], ...(failure !== undefined && { failure }) };
  }

  /** How many resources were to be created or changed in the registry. */
  get changes(): number {
    return this.operations;
  }

  /** Messages of severity `error`, as they came. */
  get errors(): readonly string[] {
    return this.texts;
  }
}
