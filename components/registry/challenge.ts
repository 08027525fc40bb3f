/** How a registry wants to be authenticated to. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service?: string; readonly scope?: string };

// One step through the header: a parameter (token = token or quoted string) or a bare word, which is a scheme.
const step = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/gy;
const between = /[\s,]*/gy;

/**
 * Reads a WWW-Authenticate header (RFC 9110, 11.6.1), which may hold several challenges, and takes Bearer before
 * Basic, as the distribution specification's token authentication wants. Undefined when it offers neither.
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const offers = split(header ?? "");
  const bearer = offers.find((offer) => offer.scheme === "bearer" && offer.parameters.has("realm"));
  if (bearer) {
    const { parameters } = bearer;
    const [realm = "", service, scope] = ["realm", "service", "scope"].map((name) => parameters.get(name));
    return {
      scheme: "bearer",
      realm,
      ...(service !== undefined && { service }),
      ...(scope !== undefined && { scope }),
    };
  }
  return offers.some((offer) => offer.scheme === "basic") ? { scheme: "basic" } : undefined;
}

function split(header: string): { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> }[] {
  const offers: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  while (position < header.length) {
    between.lastIndex = position;
    step.lastIndex = position + (between.exec(header)?.[0].length ?? 0);
    const found = step.exec(header);
    if (!found) break;
    position = step.lastIndex;
    const [, name = "", quoted, bare] = found;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    if (value === undefined) offers.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else offers.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return offers;
}
