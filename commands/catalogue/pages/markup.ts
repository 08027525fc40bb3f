/** Markup whose text is escaped already. Only {@link h} makes it, so that nothing unescaped can be taken for it. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand between two tags: strings are text, never markup. */
export type Children = Markup | string | number | null | undefined | readonly Children[];

/** A template: a function of what it shows. */
export type Template<P> = (props: P & { readonly children?: Children }) => Markup;

type Value = string | number | boolean | undefined;
type Attributes = Readonly<Record<string, Value>>;

/** Elements that have no content, in HTML and in the XML written here. */
const empty = new Set(["meta", "link", "img", "input", "wbr", "category"]);

/**
 * What JSX is turned into (`jsxFactory` in tsconfig.json): an element, or a template called at once. All there is of text and
 * of attribute values is escaped here, for HTML and XML alike; names of elements and attributes are those of the source.
 */
export function h<P>(
  what: string | Template<P>,
  props: (P & Attributes) | null,
  ...children: readonly Children[]
): Markup {
  if (typeof what === "function") return what({ ...(props as P), children });
  const attributes = Object.entries(props ?? {}).map(([name, value]) => {
    if (value === undefined || value === false) return "";
    return value === true ? ` ${name}` : ` ${name}="${escaped(String(value))}"`;
  });
  const start = `<${what}${attributes.join("")}`;
  return new Markup(empty.has(what) ? `${start}/>` : `${start}>${inner(children)}</${what}>`);
}

/** What `<>…</>` is: its content and nothing around it. */
export function Fragment({ children }: { readonly children?: Children }): Markup {
  return new Markup(inner(children));
}

function inner(children: Children): string {
  if (children === null || children === undefined) return "";
  if (children instanceof Markup) return children.text;
  if (typeof children === "object") return children.map(inner).join("");
  return escaped(String(children));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

// Where TypeScript looks up the types of JSX; it knows no other way than a namespace.
// eslint-disable-next-line @typescript-eslint/no-namespace
export declare namespace h {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace JSX {
    type Element = Markup;
    // TypeScript counts the children among the attributes.
    type IntrinsicElements = Record<string, Readonly<Record<string, Value | Children>>>;
    interface ElementChildrenAttribute {
      readonly children: unknown;
    }
  }
}
