import { printable } from "../model/safeText";
import { DockerfileError, Effort } from "./dockerfileError";
import { type Instruction, type Instructions, readInstructions } from "./instructions";
import { type Word, expandWord } from "./word";

/** How a stage uses another stage or an image. */
export type Use = "from" | "copy" | "mount";

/** Something a stage takes files from, besides its base. */
interface StageSource {
  /** Stage name, stage number (`copy` only) or image reference. */
  readonly reference: string;
  readonly usedBy: Exclude<Use, "from">;
  readonly line: number;
  /** Why BuildKit refuses it. */
  readonly problem?: string;
}

/** A FROM and what follows it. */
export interface Stage {
  /** Position in the file, from 0. */
  readonly index: number;
  /** Lower case. */
  readonly name?: string;
  readonly base: Word;
  readonly line: number;
  /** Value of `--platform`. */
  readonly platform?: Word;
  readonly sources: readonly StageSource[];
  readonly runs: boolean;
  /** Sources of ONBUILD triggers, which stages built on this one use, and nobody looks at else: BuildKit may refuse them. */
  readonly triggered: readonly StageSource[];
}

/** The build arguments that ARG lines declare, in any stage or before the first; those of ONBUILD triggers too. */
export function declaredArguments({ escape, instructions }: Instructions): ReadonlySet<string> {
  const words = instructions.flatMap(({ keyword, rest }) => {
    const trigger = keyword === "onbuild" ? /^arg\s+([^]*)$/i.exec(rest)?.[1] : undefined;
    return keyword === "arg" ? argumentWords(rest, escape) : trigger ? argumentWords(trigger, escape) : [];
  });
  return new Set(words.map((word) => word.split("=", 1)[0] ?? ""));
}

/** What the variables of FROM lines are made of. */
export interface StageVariables {
  /** Build arguments given: they win over the defaults of ARG lines that declare them. */
  readonly given: Readonly<Record<string, string>>;
  /** Variables BuildKit defines before the first FROM. */
  readonly predefined: ReadonlyMap<string, string>;
}

const stageName = /^[a-z][a-z0-9-_.]*$/;

/** Every instruction there is, as BuildKit 0.31's parser names them. */
const known = new Set(
  "add arg cmd copy entrypoint env expose from healthcheck label maintainer onbuild run shell stopsignal user volume workdir".split(
    " ",
  ),
);

/**
 * Reads the stages of a Dockerfile and expands their FROM lines with the ARGs before the first of them.
 * @throws DockerfileError
 */
export function readStages(
  path: string,
  { escape, instructions, syntax }: Instructions,
  variables: StageVariables,
): readonly Stage[] {
  const global = new Map(variables.predefined);
  const effort = new Effort();
  const expand = ({ line }: Instruction, text: string): Word => {
    try {
      return expandWord(text, { escape, variables: global, effort });
    } catch (cause) {
      throw new DockerfileError(path, line, `cannot expand ${printable(text, 200)}: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  const stages: { from: Instruction; commands: Instruction[] }[] = [];
  // Pulumi's provider refuses some Dockerfiles itself, in a way that ends the whole run.
  const unknown = instructions.find(({ keyword }) => !known.has(keyword));
  if (unknown && (syntax === undefined || /^docker\/dockerfile[:@]/.test(syntax)))
    throw new DockerfileError(path, unknown.line, `${printable(unknown.keyword.toUpperCase(), 100)} is no instruction`);
  for (const instruction of instructions) {
    if (instruction.keyword === "from") stages.push({ from: instruction, commands: [] });
    else if (stages.length > 0) stages.at(-1)?.commands.push(instruction);
    else if (instruction.keyword === "arg") declare(instruction);
    else
      throw new DockerfileError(
        path,
        instruction.line,
        `only ARG may stand before the first FROM, not ${printable(instruction.keyword)}`,
      );
  }
  const last = instructions.at(-1)?.line ?? 1;
  if (stages.length === 0) throw new DockerfileError(path, last, "there is no FROM");
  return stages.map(({ from, commands }, index) => {
    const { name, base, platform } = readFrom(path, from);
    const expandedPlatform = platform ? expand(from, platform) : undefined;
    return {
      index,
      base: expand(from, base),
      line: from.line,
      ...(name !== undefined && { name }),
      ...(expandedPlatform && { platform: expandedPlatform }),
      sources: commands.flatMap((command) => sourcesOf(command, escape)).map((source) => accepted(path, source)),
      runs: commands.some(({ keyword }) => keyword === "run"),
      triggered: commands.flatMap(({ trigger }) => (trigger ? sourcesOf(trigger, escape) : [])),
    };
  });

  function declare(instruction: Instruction): void {
    for (const word of argumentWords(instruction.rest, escape)) {
      const [name = "", ...value] = word.split("=");
      if (Object.hasOwn(variables.given, name)) global.set(name, variables.given[name] ?? "");
      else if (word.includes("=")) global.set(name, expand(instruction, value.join("=")).text);
    }
  }
}

function readFrom(
  path: string,
  { rest, flags, line }: Instruction,
): { name?: string; base: string; platform?: string } {
  const [base = "", as, name, ...more] = rest.split(/[\t\v\f\r ]+/);
  const named = as !== undefined;
  const written = name?.toLowerCase() ?? "";
  if (base === "" || more.length > 0 || (named && (as.toLowerCase() !== "as" || name === undefined))) {
    throw new DockerfileError(
      path,
      line,
      `${printable(`FROM ${rest}`, 200)} is malformed; accepted is FROM [--platform=…] IMAGE [AS NAME]`,
    );
  }
  if (named && !stageName.test(written)) {
    throw new DockerfileError(
      path,
      line,
      `${printable(name ?? "")} is not a stage name; accepted is ${stageName.source}`,
    );
  }
  const platform = flagValue(flags, "platform");
  return { base, ...(named && { name: written }), ...(platform !== undefined && { platform }) };
}

/** What a trigger (ONBUILD) of an image takes files from: images and stages. @throws DockerfileError */
export function triggerSources(path: string, trigger: string): readonly string[] {
  const { escape, instructions } = readInstructions(path, trigger);
  return instructions.flatMap((instruction) => sourcesOf(instruction, escape)).map(({ reference }) => reference);
}

/** @throws DockerfileError where BuildKit refuses the source */
export function accepted(path: string, source: StageSource): StageSource {
  const { reference, usedBy, line, problem } = source;
  if (problem === undefined) return source;
  const flag = usedBy === "copy" ? "--from" : "--mount from";
  const instead = "give the image a stage name with FROM … AS";
  throw new DockerfileError(path, line, `${flag}=${printable(reference, 200)} ${problem}; ${instead}`);
}

function sourcesOf({ keyword, flags, line }: Instruction, escape: "\\" | "`"): readonly StageSource[] {
  if (keyword === "copy") {
    const reference = flagValue(flags, "from");
    if (reference === undefined || reference === "") return [];
    // BuildKit refuses --from with anything that would expand: a stage alias is needed for that.
    const problem = isPlain(reference, escape) ? {} : { problem: "cannot hold variables or quotes" };
    return [{ reference, usedBy: "copy", line, ...problem }];
  }
  if (keyword !== "run") return [];
  return flags
    .filter((flag) => flag.startsWith("--mount="))
    .flatMap((flag) => {
      const reference = mountSource(flag.slice("--mount=".length));
      if (reference === undefined || reference === "") return [];
      const problem = /\$./.test(reference) ? { problem: "cannot hold variables" } : {};
      return [{ reference, usedBy: "mount" as const, line, ...problem }];
    });
}

function isPlain(reference: string, escape: "\\" | "`"): boolean {
  try {
    return expandWord(reference, { escape }).text === reference;
  } catch {
    return false;
  }
}

/** The last `from=` of a mount: comma-separated fields, a field may stand in double quotes. */
function mountSource(value: string): string | undefined {
  const fields = [...value.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
  return fields.findLast((field) => /^from=/i.test(field))?.slice("from=".length);
}

function flagValue(flags: readonly string[], name: string): string | undefined {
  return flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** Splits the operands of ARG at blanks outside quotes; quotes and escapes stay for the expansion. */
function argumentWords(text: string, escape: "\\" | "`"): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote: string | undefined;
  for (let position = 0; position < text.length; position++) {
    const character = text[position] ?? "";
    if (quote === undefined && /\s/.test(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += character;
    if (character === escape && quote !== "'") word += text[++position] ?? "";
    else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
  }
  return word === "" ? words : [...words, word];
}
