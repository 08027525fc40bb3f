/** Where in the configuration a value stands: keys and list positions, outermost first. */
export type ConfigPath = readonly (string | number)[];

const longestValue = 200;
const userInformation = /(:\/\/)[^/@"\s]*@/g;

/**
 * One line about one mistake: `<key path>: <value as JSON>; <what is accepted>`.
 * The result is printable ASCII in a single line, whatever the keys and values hold. Credentials in a URL are masked.
 * @param value the value as it was written, before environment variables were put in: those may be secrets.
 */
export function problemLine(prefix: string, path: ConfigPath, value: unknown, message: string): string {
  return `${prefix}${formatPath(path)}: ${formatValue(value)}; ${message}`;
}

/** A value as JSON in printable ASCII, shortened when it is long. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing given";
  const json = ascii(JSON.stringify(value)).replace(userInformation, "$1***@");
  return json.length <= longestValue ? json : `${json.slice(0, longestValue)}... (${json.length} characters)`;
}

function formatPath(path: ConfigPath): string {
  const parts = path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    if (!/^[\w/-]+$/.test(part)) return `[${formatValue(part)}]`;
    return index === 0 ? part : `.${part}`;
  });
  return parts.join("");
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
