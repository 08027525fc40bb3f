import { ShellPattern } from "./shellPattern";
import { Effort, EffortError } from "./dockerfileError";

/** How a word is read. */
export interface WordOptions {
  readonly escape: "\\" | "`";
  readonly variables?: ReadonlyMap<string, string>;
  /** Leave quotes, or escape characters, in the result: for finding here-documents. */
  readonly rawQuotes?: boolean;
  readonly rawEscapes?: boolean;
  /** Leave variables without a value as written instead of dropping them. */
  readonly keepUnset?: boolean;
  /** What this and other words may cost together. Default: a word may cost all of it. */
  readonly effort?: Effort;
}

/** A word after quotes, escapes and variables were dealt with. */
export interface Word {
  readonly text: string;
  /** The text split at unquoted white space. */
  readonly words: readonly string[];
  /** Names that were looked up: those that had a value, and those that had none. */
  readonly used: ReadonlySet<string>;
  readonly unset: ReadonlySet<string>;
}

/**
 * Expands a Dockerfile word as BuildKit's `shell.Lex` does: `$x`, `${x}`, `${x:-d}`, `${x:+d}`, `${x:?m}`, the same
 * without colon, `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`, `${x/p/r}`, `${x//p/r}`; single and double quotes; escapes.
 * @throws Error when the word is malformed or demands a variable that has no value; EffortError when it takes too much.
 */
export function expandWord(source: string, options: WordOptions): Word {
  const reader = new WordReader(source, options);
  const { text, words } = reader.readUntil(undefined, options.rawEscapes ?? false);
  return { text, words, used: reader.used, unset: reader.unset };
}

const special = new Set([..."@*#?-$!0"]);
const space = /\p{White_Space}/u;
const digit = /^\p{Nd}$/u;
const letter = /^[\p{L}\p{Nd}_]$/u;
/** Substitutions within substitutions; nobody writes more than three. */
const deepest = 50;

class WordReader {
  readonly used = new Set<string>();
  readonly unset = new Set<string>();
  private readonly characters: readonly string[];
  private readonly effort: Effort;
  private position = 0;
  private depth = 0;
  private readonly partial: PartialWord = { text: "" };

  constructor(
    source: string,
    private readonly options: WordOptions,
  ) {
    this.characters = [...source];
    this.effort = options.effort ?? new Effort();
  }

  readUntil(stop: string | undefined, rawEscapes: boolean): { text: string; words: readonly string[] } {
    let text = "";
    // BuildKit keeps one buffer for the word at hand, and a substitution inside it begins that anew.
    this.partial.text = "";
    const words = new WordSplitter(this.partial);
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (next === stop) {
        this.position++;
        return { text, words: words.finish() };
      }
      const piece = this.readPiece(next, rawEscapes);
      this.effort.spend(piece.text.length + 1);
      text += piece.text;
      words.add(piece.text, piece.quoted);
    }
    if (stop !== undefined) throw new Error(`a substitution ends before its ${JSON.stringify(stop)}`);
    return { text, words: words.finish() };
  }

  private readPiece(next: string, rawEscapes: boolean): { text: string; quoted: boolean } {
    if (next === "'") return { text: this.readSingleQuoted(), quoted: true };
    if (next === '"') return { text: this.readDoubleQuoted(rawEscapes), quoted: true };
    if (next === "$") return { text: this.readVariable(), quoted: false };
    if (next === "<") return { text: this.readLess(), quoted: true };
    this.position++;
    if (next !== this.options.escape) return { text: next, quoted: false };
    const escaped = this.take() ?? "";
    return { text: rawEscapes ? next + escaped : escaped, quoted: rawEscapes || escaped !== "" };
  }

  private readSingleQuoted(): string {
    const end = this.characters.indexOf("'", this.position + 1);
    if (end < 0) throw new Error("a single quote is not closed");
    const body = this.characters.slice(this.position + 1, end).join("");
    this.position = end + 1;
    return this.options.rawQuotes ? `'${body}'` : body;
  }

  private readDoubleQuoted(rawEscapes: boolean): string {
    const quote = this.options.rawQuotes ? '"' : "";
    let text = quote;
    this.position++;
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (next === "$") {
        text += this.readVariable();
        continue;
      }
      this.position++;
      if (next === '"') return text + quote;
      if (next !== this.options.escape) {
        text += next;
        continue;
      }
      if (rawEscapes) text += next;
      const escaped = this.peek();
      if (escaped === undefined) continue;
      const escapable = escaped === '"' || escaped === "$" || escaped === this.options.escape;
      text += escapable ? escaped : next;
      if (escapable) this.position++;
    }
    throw new Error("a double quote is not closed");
  }

  /** `<<` may be followed by blanks before the here-document's name; they belong to the same word. */
  private readLess(): string {
    this.position++;
    if (this.peek() !== "<") return "<";
    this.position++;
    let blanks = "";
    while (/^[\t\r ]$/.test(this.peek() ?? "")) blanks += this.take() ?? "";
    return `<<${blanks}`;
  }

  private readVariable(): string {
    this.position++;
    if (this.peek() !== "{") {
      const name = this.readName();
      if (name === "") return "$";
      const value = this.lookUp(name);
      return value ?? (this.options.keepUnset ? `$${name}` : "");
    }
    this.position++;
    const first = this.peek();
    if (first === undefined || "{}:".includes(first)) throw new Error("a ${…} substitution has no name");
    if (++this.depth > deepest) throw new EffortError(`substitutions stand more than ${deepest} deep in each other`);
    const value = this.readSubstitution(this.readName());
    this.depth--;
    return value;
  }

  private readSubstitution(name: string): string {
    let operator = this.take();
    if (operator === undefined) throw new Error("a ${…} substitution is not closed");
    if (operator === "}") return this.lookUp(name) ?? (this.options.keepUnset ? `\${${name}}` : "");
    if (operator === "/") return this.readReplacement(name);
    const colon = operator === ":";
    if (colon) operator = this.take() ?? "";
    const trims = operator === "#" || operator === "%";
    const known = operator !== "" && "+-?#%".includes(operator);
    const unknown = new Error(
      `the substitution operator ${JSON.stringify((colon ? ":" : "") + operator)} is not known`,
    );
    if ((!known && !colon) || (colon && trims)) throw unknown;
    const word = this.readUntil("}", trims).text;
    const value = this.lookUp(name);
    // Whatever a shell makes of `${x:=y}` and `${x:0:8}` is left to it, so that is not looked at before the variable is.
    if (value === undefined && this.options.keepUnset) return `\${${name}${colon ? ":" : ""}${operator}${word}}`;
    if (!known) throw unknown;
    if (trims) return trim(value ?? "", word, operator, this.effort);
    const missing = value === undefined || (colon && value === "");
    if (operator === "-") return missing ? word : value;
    if (operator === "+") return missing ? "" : word;
    if (missing)
      throw new Error(
        `the variable ${JSON.stringify(name)} must have a value${word ? `: ${JSON.stringify(word)}` : ""}`,
      );
    return value;
  }

  private readReplacement(name: string): string {
    const all = this.peek() === "/";
    if (all) this.position++;
    const pattern = this.readUntil("/", true).text;
    const replacement = this.readUntil("}", true).text;
    const value = this.lookUp(name);
    if (value === undefined && this.options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
    return ShellPattern.parse(pattern, this.effort).replace(value ?? "", replacement, all);
  }

  private readName(): string {
    const first = this.peek() ?? "";
    if (special.has(first) && !digit.test(first)) {
      this.position++;
      return first;
    }
    const allowed = digit.test(first) ? digit : letter;
    let name = "";
    for (let next = this.peek(); next !== undefined && allowed.test(next); next = this.peek()) {
      name += next;
      this.position++;
    }
    return name;
  }

  private lookUp(name: string): string | undefined {
    const value = this.options.variables?.get(name);
    (value === undefined ? this.unset : this.used).add(name);
    return value;
  }

  private peek(): string | undefined {
    return this.characters[this.position];
  }

  private take(): string | undefined {
    return this.characters[this.position++];
  }
}

interface PartialWord {
  text: string;
}

/** Collects words; white space that came from quotes or escapes does not split. */
class WordSplitter {
  private readonly words: string[] = [];

  constructor(private readonly current: PartialWord) {}

  add(text: string, quoted: boolean): void {
    if (quoted) {
      this.current.text += text;
      return;
    }
    for (const character of text) {
      if (!space.test(character)) this.current.text += character;
      else this.finish();
    }
  }

  finish(): readonly string[] {
    if (this.current.text !== "") this.words.push(this.current.text);
    this.current.text = "";
    return this.words;
  }
}

function trim(value: string, word: string, operator: string, effort: Effort): string {
  const longest = word.startsWith(operator);
  const pattern = ShellPattern.parse(longest ? word.slice(1) : word, effort);
  return operator === "#" ? pattern.trimStart(value, longest) : pattern.trimEnd(value, longest);
}
