import { printable } from "../model/safeText";

const hexLength = { sha256: 64, sha512: 128 } as const;

/** What to look for in a sum file. */
export interface SumQuery {
  readonly algorithm: keyof typeof hexLength;
  /** Name of the file, without folders. */
  readonly name: string;
  /** The sum file belongs to this one file (`name.sha512`), so a single sum in it is the file's under any name. */
  readonly dedicated: boolean;
}

/**
 * Finds a file's checksum in a published sum file: lower-case hex.
 * Accepted lines are `<hex>  name` and `<hex> *name` (GNU), `SHA256 (name) = <hex>` (BSD), and one bare sum as the
 * whole file; empty lines and those that start with # are skipped. Anything else, such as a web page, is an error.
 * @throws Error naming the line, or saying that the file is not listed or listed with different sums
 */
export function readSumFile(text: string, query: SumQuery): string {
  const entries = text.split(/\r?\n/).flatMap((line, position) => {
    const skipped = line.trim() === "" || line.startsWith("#");
    return skipped ? [] : [readLine(line, position + 1, query.algorithm)];
  });
  const own = entries.filter(({ name, algorithm }) => algorithm === query.algorithm && baseName(name) === query.name);
  const [only, ...others] = entries;
  const alone =
    only?.algorithm === query.algorithm && others.length === 0 && (query.dedicated || only.name === undefined);
  const sums = new Set((own.length > 0 ? own : alone ? [only] : []).map(({ hex }) => hex));
  const [sum, ...different] = sums;
  if (sum === undefined) throw new Error(`the ${query.algorithm} sums do not list ${printable(query.name, 200)}`);
  if (different.length > 0)
    throw new Error(`the ${query.algorithm} sums list ${printable(query.name, 200)} with different sums`);
  return sum;
}

interface Entry {
  readonly hex: string;
  readonly algorithm: string;
  readonly name?: string;
}

function readLine(line: string, number: number, algorithm: SumQuery["algorithm"]): Entry {
  const [, kind, bsdName, bsdHex] = /^([A-Z0-9-]{3,16}) \(([^]+)\) = ([0-9A-Fa-f]+)\s*$/.exec(line) ?? [];
  const [, gnuHex, gnuName] = /^([0-9A-Fa-f]+)(?:[ \t]+\*?(\S[^]*))?$/.exec(line.trimEnd()) ?? [];
  const hex = (bsdHex ?? gnuHex ?? "").toLowerCase();
  const name = bsdName ?? gnuName;
  const named = kind?.toLowerCase() ?? algorithm;
  const foreign = named !== algorithm && hex !== "";
  if (!foreign && hex.length !== hexLength[algorithm]) {
    throw new Error(
      `line ${number} is no ${algorithm} sum: ${printable(line, 120)}; accepted are "<hex>  name", "${algorithm.toUpperCase()} (name) = <hex>" or one bare sum`,
    );
  }
  return { hex, algorithm: named, ...(name !== undefined && { name }) };
}

function baseName(name: string | undefined): string | undefined {
  return name?.slice(name.lastIndexOf("/") + 1);
}
