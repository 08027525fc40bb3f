import { DockerfileError } from "./dockerfileError";
import { readInstructions } from "./instructions";
import { type Stage, type Use, accepted, declaredArguments, readStages } from "./stages";
import { type Platform, platformParts, readSpelling } from "../model/platform";
import { printable } from "../model/safeText";

/** What decides how a Dockerfile is read. */
export interface DockerfileOptions {
  /** For messages. */
  readonly path: string;
  readonly text: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  /** Name of the stage to build, in any case. Default: the last stage. */
  readonly target?: string;
  readonly targetPlatform: Platform;
  /** Platform of the machine that builds, for `BUILDPLATFORM` and its like. */
  readonly buildPlatform: Platform;
  /** Named contexts the build receives; one that bears a stage's name replaces the whole stage. */
  readonly contexts?: readonly string[];
}

/** An image a build needs, as its Dockerfile names it. */
export interface ImageReference {
  /** After expansion, before anything is filled in or dropped. */
  readonly reference: string;
  readonly line: number;
  /** Name of the stage that needs it, or its number. */
  readonly stage: string;
  readonly usedBy: Use;
  /** The platform it is needed for: the target, `build` for the builder's own, or one spelt out. */
  readonly platform: "target" | "build" | Platform;
  /** Whether the finished image stands on it. */
  readonly isFinalBase: boolean;
  /** Variables in the reference that had no value. */
  readonly unset: readonly string[];
  /** Its stage runs programs of it. */
  readonly runs: boolean;
}

/** What one build of a Dockerfile pulls. */
export interface DockerfileImages {
  /** Image of the `# syntax=` directive: the program that reads the Dockerfile. */
  readonly syntax?: string;
  /** First line with a here-document that not all versions of that program find. */
  readonly doubtful?: number;
  /** Images of the stages the target needs, in file order; `scratch` and stages are left out. */
  readonly references: readonly ImageReference[];
  /** Names of all stages, lower case. */
  readonly stages: readonly string[];
  /** What every build on the finished image would begin with taking files from (its ONBUILD): images, or stages of that build. */
  readonly triggered: readonly { readonly reference: string; readonly line: number }[];
  /** Named contexts that replace a stage the target needs. */
  readonly replacedStages: readonly string[];
  /** Build arguments given that no ARG declares, and that mean nothing to BuildKit itself: they have no effect. */
  readonly undeclared: readonly string[];
}

/** Real Dockerfiles have up to about fifty of either. Each image is a question to some registry. */
const most = { stages: 500, images: 200 };

/**
 * Finds every image a build will pull: FROM, `COPY --from` and `RUN --mount=from=` of the stages the target reaches.
 * Checked against BuildKit 0.31's own conversion; `COPY --from` finds later stages too, FROM only earlier ones.
 * Not seen: ONBUILD triggers inside images of a registry.
 * @throws DockerfileError with file and line
 */
export function readDockerfileImages(options: DockerfileOptions): DockerfileImages {
  const { path, text, buildArguments, contexts = [] } = options;
  const read = readInstructions(path, text);
  const lastStage = /\sas\s+(\S+)$/i.exec(read.instructions.findLast(({ keyword }) => keyword === "from")?.rest ?? "");
  const TARGETSTAGE = options.target ?? lastStage?.[1]?.toLowerCase() ?? "default";
  const predefined = new Map(Object.entries({ ...platformVariables(options), TARGETSTAGE }));
  for (const [name, value] of Object.entries(buildArguments)) if (predefined.has(name)) predefined.set(name, value);
  const stages = readStages(path, read, { given: buildArguments, predefined });
  const crowded = stages[most.stages];
  if (crowded) throw new DockerfileError(path, crowded.line, `it has more than ${most.stages} stages`);
  const graph = new StageGraph(stages, contexts, options);
  const target = graph.target(options.target);
  const references = graph.references(target);
  const distinct = [...new Map(references.map((needed) => [needed.reference, needed])).values()];
  const beyond = distinct[most.images];
  if (beyond) throw new DockerfileError(path, beyond.line, `it needs more than ${most.images} images`);
  const names = stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const replacedStages = graph.replaced(target);
  const declared = declaredArguments(read);
  const isUsed = (name: string): boolean => declared.has(name) || predefined.has(name) || isBuiltIn(name);
  const undeclared = Object.keys(buildArguments).filter((name) => !isUsed(name));
  return {
    references,
    stages: names,
    triggered: target.triggered.map(({ reference, line }) => ({ reference, line })),
    replacedStages,
    undeclared,
    ...(read.syntax !== undefined && { syntax: read.syntax }),
    ...(read.doubtful !== undefined && { doubtful: read.doubtful }),
  };
}

/** Build arguments BuildKit takes without an ARG: proxies, and its own settings. Source: `frontend/dockerfile/docs/reference.md`. */
function isBuiltIn(name: string): boolean {
  return /^(https?|ftp|no|all)_proxy$/i.test(name) || /^(BUILDKIT_\w+|SOURCE_DATE_EPOCH)$/.test(name);
}

class StageGraph {
  private readonly bases = new Map<Stage, Stage>();
  private readonly byName = new Map<string, Stage>();

  constructor(
    private readonly stages: readonly Stage[],
    private readonly contexts: readonly string[],
    private readonly options: DockerfileOptions,
  ) {
    for (const stage of stages) {
      const base = this.byName.get(stage.base.text);
      if (base && !this.isReplaced(stage)) this.bases.set(stage, base);
      if (stage.name !== undefined) this.byName.set(stage.name, stage);
    }
  }

  target(name: string | undefined): Stage {
    const last = this.stages.at(-1);
    const found = name === undefined ? last : this.byName.get(name.toLowerCase());
    if (found) return found;
    const names = [...this.byName.keys()].slice(0, 50);
    const known = names.length === 0 ? "none has a name" : `the stages are ${JSON.stringify(names)}`;
    throw new DockerfileError(
      this.options.path,
      last?.line ?? 1,
      `there is no stage ${printable(name ?? "")}; ${known}`,
    );
  }

  references(target: Stage): readonly ImageReference[] {
    const final = this.foundation(target);
    const found: ImageReference[] = [];
    const reachable = this.reachable(target);
    for (const stage of reachable) {
      if (!this.bases.has(stage) && !this.isReplaced(stage)) {
        found.push(this.baseReference(stage, stage === final, this.runs(stage, reachable)));
      }
      for (const { reference, line, usedBy } of this.sources(stage)) {
        if (this.find(stage, reference, usedBy)) continue;
        const common = { platform: "target", isFinalBase: false, unset: [], runs: false } as const;
        found.push({ reference, line, stage: label(stage), usedBy, ...common });
      }
    }
    const isImage = ({ reference }: ImageReference): boolean => reference !== "scratch";
    return found.filter(isImage).toSorted((left, right) => left.line - right.line);
  }

  /** Names of the stages the target needs that a named context replaces. */
  replaced(target: Stage): readonly string[] {
    return [...this.reachable(target)].flatMap((stage) =>
      stage.name !== undefined && this.isReplaced(stage) ? [stage.name] : [],
    );
  }

  /** The stage at the bottom of the chain of FROMs. */
  private foundation(stage: Stage): Stage {
    const base = this.bases.get(stage);
    return base ? this.foundation(base) : stage;
  }

  /** Whether a stage, or one that is built on it, runs programs of its base. */
  private runs(base: Stage, reachable: ReadonlySet<Stage>): boolean {
    return [...reachable].some((stage) => stage.runs && this.foundation(stage) === base);
  }

  private reachable(target: Stage): ReadonlySet<Stage> {
    const seen = new Set<Stage>([target]);
    // A set's iteration visits what is added on the way.
    for (const stage of seen) {
      const base = this.bases.get(stage);
      if (base) seen.add(base);
      for (const { reference, usedBy } of this.sources(stage)) {
        const source = this.find(stage, reference, usedBy);
        if (source) seen.add(source);
      }
    }
    return seen;
  }

  private sources(stage: Stage): Stage["sources"] {
    const triggered = this.bases.get(stage)?.triggered ?? [];
    return [...stage.sources, ...triggered.map((source) => accepted(this.options.path, source))];
  }

  private find(user: Stage, reference: string, usedBy: Use): Stage | undefined {
    if (usedBy !== "copy" || !/^[+-]?\d+$/.test(reference)) return this.byName.get(reference.toLowerCase());
    const stage = this.stages[Number(reference)];
    if (stage) return stage;
    throw new DockerfileError(
      this.options.path,
      user.line,
      `there is no stage number ${reference}; there are ${this.stages.length}, counted from 0`,
    );
  }

  private baseReference(stage: Stage, isFinalBase: boolean, runs: boolean): ImageReference {
    const { base, line } = stage;
    const unset = [...base.unset];
    if (base.text === "") {
      throw new DockerfileError(
        this.options.path,
        line,
        `the image of FROM is blank; variables without a value: ${named(unset)}`,
      );
    }
    return {
      reference: base.text,
      line,
      stage: label(stage),
      usedBy: "from",
      platform: this.platform(stage),
      isFinalBase,
      unset,
      runs,
    };
  }

  private platform({ platform, line }: Stage): ImageReference["platform"] {
    if (!platform) return "target";
    const { targetPlatform, path } = this.options;
    if ([...platform.used].some((name) => name.startsWith("BUILD"))) return "build";
    const named = readSpelling(platform.text);
    if (named !== undefined) return named === targetPlatform ? "target" : named;
    throw new DockerfileError(
      path,
      line,
      `${printable(platform.text)} is not a platform; accepted are os/architecture[/variant], a known architecture and linux`,
    );
  }

  private isReplaced({ name }: Stage): boolean {
    return name !== undefined && this.contexts.includes(name);
  }
}

function named(variables: readonly string[]): string {
  return JSON.stringify(variables.slice(0, 10).map((name) => name.slice(0, 80)));
}

function label({ name, index }: Stage): string {
  return name ?? String(index);
}

function platformVariables({ buildPlatform, targetPlatform }: DockerfileOptions): Record<string, string> {
  const build = platformParts(buildPlatform);
  const target = platformParts(targetPlatform);
  return {
    BUILDPLATFORM: buildPlatform,
    BUILDOS: build.os,
    BUILDOSVERSION: "",
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? "",
    TARGETPLATFORM: targetPlatform,
    TARGETOS: target.os,
    TARGETOSVERSION: "",
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? "",
  };
}
