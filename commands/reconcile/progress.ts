import { type ResourceSubject, subjectOf } from "../../components/model/resourceNames";
import { BuildLog, type FailedStep } from "./buildLog";
import type { EngineEvent } from "./engineEvents";

/** One platform image that was built, or is being built. */
export interface ObservedBuild {
  readonly state: "building" | "built" | "failed";
  /** So far known; whole seconds. */
  readonly seconds: number;
  /** When it failed: the last line of BuildKit's error, if there was one. */
  readonly failure?: string;
  /** When it failed: the step it failed in, and what that printed last. */
  readonly failedStep?: FailedStep;
}

/** A build that is under way. */
export interface RunningBuild {
  readonly name: string;
  /** When it began, Unix seconds. */
  readonly since: number;
  /** The step BuildKit named last: `[2/7] RUN make`. */
  readonly step?: string;
}

const image = "docker-build:index:Image";
const index = "docker-build:index:Index";
const app = "multiarch-mirror:index:MirroredApp";

/** Resources that stand for work in the registry. Components and providers are bookkeeping. */
const work = [image, index, "command:local:Command"];

/** What BuildKit says of a build that ends with the run. */
const cancelled = "context canceled";

const changing = ["create", "update", "replace", "create-replacement"];

/** Whether an event is about work in the registry, and not about what is only recorded, read or forgotten. */
export function isWork({ operation, type }: { readonly operation: string; readonly type: string }): boolean {
  return changing.includes(operation) && work.includes(type);
}

/** What a registry said, without the steps the docker-build provider names before it, digests among them: it gives one text. */
function withoutSteps(text: string): string {
  return text.replace(/^(?:(?:creating|updating|publish \S+ to \S+|failed commit on ref "[^"]*"): )+/, "");
}

/** What the engine's events say about a run, while it goes on. */
export class Progress {
  private readonly apps = new Set<string>();
  private readonly begun = new Map<string, number>();
  private readonly builds = new Map<string, ObservedBuild>();
  private readonly failures = new Map<string, string>();
  private readonly logs = new Map<string, BuildLog>();
  private readonly texts: string[] = [];
  private operations = 0;

  observe(event: EngineEvent): void {
    if (event.kind === "message") {
      // That the update failed says nothing of why.
      if (event.severity === "error" && ![cancelled, "update failed"].includes(event.text.trim()))
        this.texts.push(event.text);
      const last = event.text.trim().split("\n").at(-1)?.trim();
      if (event.severity === "error" && work.includes(event.type) && last)
        this.failures.set(event.name, last === cancelled ? "it was stopped" : withoutSteps(last));
      return;
    }
    if (event.kind === "output") {
      if (event.type === image && event.text !== "") this.logOf(event.name).add(event.text);
      return;
    }
    const { kind, type, name, at } = event;
    if (type === app) this.apps.add(name);
    if (!isWork(event)) return;
    if (kind === "begun") {
      this.operations += 1;
      this.begun.set(name, at);
    }
    if (type !== image) return;
    const seconds = Math.max(0, at - (this.begun.get(name) ?? at));
    const states = { begun: "building", done: "built", failed: "failed" } as const;
    this.builds.set(name, { state: states[kind], seconds });
    if (kind === "done") this.logs.delete(name);
  }

  /** The build of the image resource of that name; undefined: none was begun. */
  build(name: string): ObservedBuild | undefined {
    const build = this.builds.get(name);
    if (build?.state !== "failed") return build;
    const said = this.failures.get(name);
    // The bare words are the provider's own, when it has ended a build; BuildKit says in them what it waited for.
    const failure = said === "context deadline exceeded" ? `ended after ${build.seconds} s, by buildLimit` : said;
    const failedStep = this.logs.get(name)?.failedStep;
    return { ...build, ...(failure !== undefined && { failure }), ...(failedStep && { failedStep }) };
  }

  /** Why the tag of the index resource of that name could not be written, or what the command of that name attaches could not be. */
  refusal(name: string): string | undefined {
    return this.failures.get(name);
  }

  /** The builds that are under way, in the order in which they began. */
  get running(): readonly RunningBuild[] {
    return [...this.builds].flatMap(([name, { state }]): RunningBuild[] => {
      if (state !== "building") return [];
      const step = this.logs.get(name)?.step;
      return [{ name, since: this.begun.get(name) ?? 0, ...(step !== undefined && { step }) }];
    });
  }

  /** What a resource is about; undefined for one that belongs to no app. */
  subject(name: string): ResourceSubject | undefined {
    return subjectOf(name, this.apps);
  }

  /** What a line of the program is about, where it says so first: `app: …`, `app version is …`, `app version platform: …`. */
  subjectOfText(text: string): { readonly app: string } | undefined {
    const groups = /^(?<app>\S+?)(?: (?<version>[^\s/]+?))?(?: (?<platform>linux\/\S+?))?(?::| is) .*$/.exec(
      text,
    )?.groups;
    return this.apps.has(groups?.["app"] ?? "") ? { app: "", ...groups } : undefined;
  }

  /** How many resources were to be created or changed in the registry. */
  get changes(): number {
    return this.operations;
  }

  /** Messages of severity `error`, as they came. */
  get errors(): readonly string[] {
    return this.texts;
  }

  private logOf(name: string): BuildLog {
    const log = this.logs.get(name) ?? new BuildLog();
    this.logs.set(name, log);
    return log;
  }
}
