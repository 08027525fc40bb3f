import { printable } from "../model/safeText";
import { DockerfileError, EffortError } from "./dockerfileError";
import { expandWord } from "./word";

/** One instruction, its lines joined; the bodies of its here-documents are dropped. */
export interface Instruction {
  /** Lower case. */
  readonly keyword: string;
  /** Leading `--name=value` words, quotes and escapes removed. */
  readonly flags: readonly string[];
  /** What follows the flags, as written. */
  readonly rest: string;
  /** First line, counted from 1. */
  readonly line: number;
  /** Of ONBUILD: what the next stage is to do. */
  readonly trigger?: Instruction;
}

/** A Dockerfile taken apart. */
export interface Instructions {
  readonly escape: "\\" | "`";
  /** The image of the `# syntax=` directive. */
  readonly syntax?: string;
  /** First line with a here-document that not all versions of the frontend find. */
  readonly doubtful?: number;
  readonly instructions: readonly Instruction[];
}

/** BuildKit reads lines through a buffer of this many bytes and refuses longer ones. */
const longestLine = 64 * 1024 - 1;
const blanks = /[\t\v\f\r ]+/;

/** What opens a here-document, and a substitution beyond those every version knows: one that does not know it sees no here-document. */
const hereDocument = /(?<!<)<<(?!<)/;
const newSubstitution = /\$\{(?!\w+(?:\}|:[-+?]))/;

/**
 * Splits a Dockerfile into instructions, line for line as BuildKit's `frontend/dockerfile/parser` does:
 * directives, comments (inside continued lines too), the escape character, here-documents of RUN, COPY and ADD.
 *
 * Written here because the libraries for it serve editors: they accept what a build refuses, and the one tried
 * (dockerfile-ast 0.7) takes the body of `<<"A B"` for instructions and instructions after `'x <<A'` for a body.
 * @throws DockerfileError
 */
export function readInstructions(path: string, text: string): Instructions {
  return new Reader(path, text).read();
}

class Reader {
  private readonly lines: readonly string[];
  private next = 0;
  private escape: "\\" | "`" = "\\";
  private doubtful: number | undefined;
  private readonly directives = new Set<string>();
  private directivesOver = false;

  constructor(
    private readonly path: string,
    text: string,
  ) {
    const lines = text.replace(/^\ufeff/, "").split("\n");
    this.lines = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    const long = this.lines.findIndex((line) => Buffer.byteLength(line) > longestLine);
    if (long >= 0) throw this.error(long + 1, `the line is longer than ${longestLine} bytes`);
  }

  read(): Instructions {
    const syntax = syntaxOf(this.lines);
    const instructions: Instruction[] = [];
    while (this.next < this.lines.length) {
      const instruction = this.readInstruction();
      if (instruction) instructions.push(instruction);
    }
    const { escape, doubtful } = this;
    return {
      escape,
      instructions,
      ...(syntax !== undefined && { syntax }),
      ...(doubtful !== undefined && { doubtful }),
    };
  }

  private readInstruction(): Instruction | undefined {
    const first = (this.take() ?? "").trimStart();
    const line = this.next;
    this.readDirective(first, line);
    let { text, ended } = this.continuation(first.startsWith("#") ? "" : first);
    if (ended && text === "") return undefined;
    while (!ended && this.next < this.lines.length) {
      const more = this.take() ?? "";
      // A comment or an empty line does not end a continued instruction.
      if (more.trimStart().startsWith("#") || more.trim() === "") continue;
      const part = this.continuation(more);
      text += part.text;
      ended = part.ended;
    }
    const instruction = this.parse(text.trim(), line);
    this.skipHereDocuments(instruction, text);
    return instruction;
  }

  private take(): string | undefined {
    const line = this.lines[this.next++];
    return line === undefined ? undefined : trimmedEnd(line, "\r");
  }

  private readDirective(text: string, line: number): void {
    if (this.directivesOver) return;
    const directive = readDirective(text);
    this.directivesOver = directive === undefined;
    if (!directive) return;
    const { name, value } = directive;
    if (this.directives.has(name)) throw this.error(line, `the directive "# ${name}=" is given twice`);
    this.directives.add(name);
    if (name !== "escape") return;
    if (value !== "\\" && value !== "`") {
      throw this.error(line, `the escape character ${printable(value)} is not accepted; accepted are \\ and \``);
    }
    this.escape = value;
  }

  /** Removes the escape character that joins a line with the next; an escaped one does not join. */
  private continuation(text: string): { text: string; ended: boolean } {
    const kept = trimmedEnd(text, " \t");
    const joins = kept.endsWith(this.escape) && kept.at(-2) !== this.escape;
    return joins ? { text: kept.slice(0, -1), ended: false } : { text, ended: true };
  }

  private parse(text: string, line: number, within = false): Instruction {
    const gap = blanks.exec(text);
    const keyword = (gap ? text.slice(0, gap.index) : text).toLowerCase();
    const { flags, rest } = gap ? this.readFlags(text.slice(gap.index + gap[0].length)) : { flags: [], rest: "" };
    const read = { keyword, flags, rest: rest.trim(), line };
    // BuildKit reads a trigger as a line of its own when the next stage starts; one within another it refuses.
    return keyword === "onbuild" && !within ? { ...read, trigger: this.parse(read.rest, line, true) } : read;
  }

  private readFlags(text: string): { flags: readonly string[]; rest: string } {
    const flags: string[] = [];
    let position = 0;
    for (;;) {
      while (/\s/.test(text[position] ?? "")) position++;
      if (!text.startsWith("--", position)) return { flags, rest: text.slice(position) };
      const word = this.readFlag(text, position);
      position = word.end;
      if (word.text === "--") return { flags, rest: text.slice(position) };
      flags.push(word.text);
    }
  }

  private readFlag(text: string, start: number): { text: string; end: number } {
    let word = "";
    let quote: string | undefined;
    let position = start;
    for (; position < text.length; position++) {
      const character = text[position] ?? "";
      if (quote === undefined && /\s/.test(character)) break;
      if (character === quote) quote = undefined;
      else if (quote === undefined && (character === "'" || character === '"')) quote = character;
      else if (character === this.escape) word += text[++position] ?? "";
      else word += character;
    }
    return { text: word, end: position };
  }

  private skipHereDocuments(instruction: Instruction, text: string): void {
    const { keyword, rest } = instruction.trigger ?? instruction;
    if (!["run", "copy", "add"].includes(keyword) || !text.includes("<<") || isJsonList(rest)) return;
    if (hereDocument.test(text) && newSubstitution.test(text)) this.doubtful ??= instruction.line;
    for (const { name, stripTabs } of this.hereDocuments(text, instruction.line)) {
      for (;;) {
        const line = this.take();
        if (line === undefined) {
          throw this.error(instruction.line, `the here-document ${printable(name)} has no end`);
        }
        if ((stripTabs ? line.replace(/^\t+/, "") : line) === name) break;
      }
    }
  }

  private hereDocuments(text: string, line: number): readonly HereDocument[] {
    try {
      return hereDocuments(text);
    } catch (cause) {
      throw new DockerfileError(this.path, line, (cause as Error).message, { cause });
    }
  }

  private error(line: number, problem: string): DockerfileError {
    return new DockerfileError(this.path, line, problem);
  }
}

/** A directive in a comment that begins the line; undefined when it is none that BuildKit knows. */
function readDirective(text: string): { readonly name: string; readonly value: string } | undefined {
  const [, written = "", rest = ""] = /^#\p{White_Space}*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(.+)$/su.exec(text) ?? [];
  const name = written.toLowerCase();
  if (!["syntax", "escape", "check"].includes(name)) return undefined;
  const value = trimmedEnd(rest.replace(/^[\t\n\f\r ]+/, ""), "\t\n\f\r ");
  return { name, value: value === "" ? rest.slice(-1) : value };
}

/** The frontend's image: BuildKit looks for it by itself, not as the frontend will, and passes over a first line `#!…`. */
function syntaxOf(lines: readonly string[]): string | undefined {
  for (const line of lines[0]?.startsWith("#!") ? lines.slice(1) : lines) {
    const directive = readDirective(line);
    if (directive === undefined) return undefined;
    if (directive.name === "syntax") return directive.value.split(" ")[0];
  }
  return undefined;
}

interface HereDocument {
  readonly name: string;
  readonly stripTabs: boolean;
}

/** The here-documents a line opens. BuildKit always reads them with the backslash as escape. */
function hereDocuments(text: string): readonly HereDocument[] {
  return wordsOf(text, { rawQuotes: true, rawEscapes: true }).flatMap((word) => {
    const [, dash, delimiter] = /^[0-9]*<<(-?)[\t\n\f\r ]*([^<]*)$/u.exec(word) ?? [];
    if (delimiter === undefined) return [];
    const [name, ...others] = wordsOf(delimiter, {});
    return name === undefined || others.length > 0 ? [] : [{ name, stripTabs: dash === "-" }];
  });
}

/** Malformed shell text opens no here-document; the shell will say what is wrong with it. @throws EffortError */
function wordsOf(text: string, raw: { rawQuotes?: boolean; rawEscapes?: boolean }): readonly string[] {
  try {
    return expandWord(text, { escape: "\\", keepUnset: true, ...raw }).words;
  } catch (error) {
    if (error instanceof EffortError) throw error;
    return [];
  }
}

function isJsonList(text: string): boolean {
  try {
    const value: unknown = text.startsWith("[") ? JSON.parse(text) : undefined;
    return Array.isArray(value) && value.every((item) => typeof item === "string");
  } catch {
    return false;
  }
}

/** Without the characters at its end. A regular expression for that takes the square of a run of them that is not at the end. */
function trimmedEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] ?? "")) end--;
  return text.slice(0, end);
}
