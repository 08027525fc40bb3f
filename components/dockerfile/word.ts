import { ShellPattern } from "./shellPattern";

/** How a word is read. */
export interface WordOptions {
  readonly escape: "\\" | "`";
  readonly variables?: ReadonlyMap<string, string>;
  /** Leave quotes, or escape characters, in the result: for finding here-documents. */
  readonly rawQuotes?: boolean;
  readonly rawEscapes?: boolean;
  /** Leave variables without a value as written instead of dropping them. */
  readonly keepUnset?: boolean;
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
 * @throws Error when the word is malformed or demands a variable that has no value.
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

class WordReader {
  readonly used = new Set<string>();
  readonly unset = new Set<string>();
  private readonly characters: readonly string[];
  private position = 0;

  constructor(
    source: string,
    private readonly options: WordOptions,
  ) {
    this.characters = [...source];
  }

  readUntil(stop: string | undefined, rawEscapes: boolean): { text: string; words: readonly string[] } {
    let text = "";
    const words = new WordSplitter();
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (next === stop) {
        this.position++;
        return { text, words: words.finish() };
      }
      const piece = this.readPiece(next, rawEscapes);
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
    return this.readSubstitution(this.readName());
  }

  private readSubstitution(name: string): string {
    let operator = this.take();
    if (operator === undefined) throw new Error("a ${…} substitution is not closed");
    if (operator === "}") return this.lookUp(name) ?? (this.options.keepUnset ? `\${${name}}` : "");
    if (operator === "/") return this.readReplacement(name);
    const colon = operator === ":";
    if (colon) operator = this.take() ?? "";
    const trims = operator === "#" || operator === "%";
    if (!"+-?#%".includes(operator) || operator === "" || (colon && trims)) {
      throw new Error(`the substitution operator ${JSON.stringify((colon ? ":" : "") + operator)} is not known`);
    }
    const word = this.readUntil("}", trims).text;
    const value = this.lookUp(name);
    if (value === undefined && this.options.keepUnset) return `\${${name}${colon ? ":" : ""}${operator}${word}}`;
    if (trims) return trim(value ?? "", word, operator);
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
    return ShellPattern.parse(pattern).replace(value ?? "", replacement, all);
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

/** Collects words; white space that came from quotes or escapes does not split. */
class WordSplitter {
  private readonly words: string[] = [];
  private current = "";

  add(text: string, quoted: boolean): void {
    if (quoted) {
      this.current += text;
      return;
    }
    for (const character of text) {
      if (!space.test(character)) this.current += character;
      else this.finish();
    }
  }

  finish(): readonly string[] {
    if (this.current !== "") this.words.push(this.current);
    this.current = "";
    return this.words;
  }
}

function trim(value: string, word: string, operator: string): string {
  const longest = word.startsWith(operator);
  const pattern = ShellPattern.parse(longest ? word.slice(1) : word);
  return operator === "#" ? pattern.trimStart(value, longest) : pattern.trimEnd(value, longest);
}
