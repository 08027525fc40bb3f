import { type Children, Fragment, h } from "./markup";
import type { CatalogueIndex } from "../schema";

/** What a page shows around its content. */
export interface PageFrame {
  readonly title: string;
  readonly description: string;
  /** From the page to the site's root: empty, or `../` as often as needed. */
  readonly root: string;
  readonly index: Pick<CatalogueIndex, "stack" | "registry" | "namespace" | "generatedAt">;
  /** The JSON the page is made from, from the page. */
  readonly json: string;
  readonly feed: string;
  readonly trail?: readonly { readonly text: string; readonly href: string }[];
  /** When the page was made, on pages that grow old. */
  readonly generatedAt?: string;
}

/** Nothing but the site's own style, script and pictures; no form goes anywhere. */
const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/** A whole page. */
export function Page({ frame, children }: { readonly frame: PageFrame; readonly children: Children }) {
  const { title, description, root, index, json, feed, trail = [], generatedAt } = frame;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>{title}</title>
        <meta name="description" content={description} />
        <link rel="icon" type="image/svg+xml" href={`${root}icon.svg`} />
        <link rel="stylesheet" href={`${root}style.css`} />
        <link rel="alternate" type="application/atom+xml" title="What is new" href={feed} />
        <link rel="alternate" type="application/json" title="This page as JSON" href={json} />
        <script src={`${root}catalogue.js`} defer />
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to content
        </a>
        <header class="top">
          <nav aria-label="Site">
            <a class="brand" href={`${root}index.html`}>
              Image mirror
            </a>
            {trail.map(({ text, href }) => (
              <>
                <span class="trail" aria-hidden="true">
                  /
                </span>
                <a href={href}>{text}</a>
              </>
            ))}
          </nav>
          <span class="where">
            {index.registry}/{index.namespace}
          </span>
        </header>
        <main id="content">{children}</main>
        <footer>
          <p>
            {generatedAt === undefined ? null : (
              <>
                Made <Time at={generatedAt} /> from what the registry holds.{" "}
              </>
            )}
            <a href={json}>This page as JSON</a>, <a href={feed}>feed</a>.
          </p>
        </footer>
      </body>
    </html>
  );
}

/** A moment, in UTC. Something else than a time is shown as it is. */
export function Time({ at }: { readonly at: string | undefined }) {
  const time = Date.parse(at ?? "");
  if (Number.isNaN(time)) return <>{at ?? "–"}</>;
  const iso = new Date(time).toISOString();
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`}</time>;
}

/** A day, and how long ago that was when the page was made; the script brings it up to date. */
export function Age({ at, now }: { readonly at: string | undefined; readonly now: string }) {
  const time = Date.parse(at ?? "");
  if (at === undefined || Number.isNaN(time)) return <>–</>;
  const iso = new Date(time).toISOString();
  return (
    <>
      <time datetime={iso}>{iso.slice(0, 10)}</time>{" "}
      <span class="quiet" data-age={iso}>
        {ageOf(Date.parse(now) - time)}
      </span>
    </>
  );
}

/** The same words as in `catalogue.js`. */
function ageOf(milliseconds: number): string {
  const hours = Math.max(0, Math.floor(milliseconds / 3_600_000));
  if (hours < 1) return "less than an hour ago";
  if (hours < 48) return hours === 1 ? "1 hour ago" : `${hours} hours ago`;
  const days = Math.floor(hours / 24);
  return days < 60 ? `${days} days ago` : `${Math.floor(days / 30)} months ago`;
}

/** Bytes, as people say them. */
export function sizeOf(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** A link to somewhere else; text where the address is none a browser should follow. */
export function Out({ href, children }: { readonly href: string; readonly children: Children }) {
  if (!/^https?:\/\/[^\s]+$/i.test(href) || !URL.canParse(href)) return <>{children}</>;
  return (
    <a href={href} rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** A digest, short, whole for whoever copies or points at it. */
export function ShortDigest({ digest }: { readonly digest: string }) {
  return (
    <code class="digest" data-copy={digest} title={digest}>
      {digest.slice(7, 19)}
    </code>
  );
}

/** Something to be pasted into a shell or a file. */
export function Snippet({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <pre class="snippet" data-copy={text} data-name={name}>
      <code>
        <Breakable text={text} />
      </code>
    </pre>
  );
}

/** Text with addresses and references, whose lines break between their parts rather than anywhere. */
export function Breakable({ text }: { readonly text: string }) {
  const parts = text.split(/(?<=[^/]\/)(?!\/)|(?=@)/);
  return <>{parts.flatMap((part, position) => (position === 0 ? [part] : [<wbr />, part]))}</>;
}

/** Where a version's page tells of a platform. */
export function anchorOf(platform: string): string {
  return platform.replaceAll("/", "-");
}

/** A table wider than a small window, which scrolls by itself and by keyboard. Its bodies are the children. */
export function WideTable({
  caption,
  columns,
  children,
}: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly children: Children;
}) {
  return (
    <section class="wide" aria-label={caption} tabindex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        {children}
      </table>
    </section>
  );
}

/** Warns of a page that nobody has made anew; the script shows it after twelve hours. */
export function Staleness({ at }: { readonly at: string }) {
  return (
    <p class="stale" data-stale={at} hidden>
      This page was made more than twelve hours ago: the mirror may have more by now.
    </p>
  );
}

/** A line of a list of facts. */
export function Fact({ name, children }: { readonly name: string; readonly children?: Children }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** `1 version`, `3 versions`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Links to the other pages of something long. */
export function PageLinks({
  name,
  links,
  number,
}: {
  readonly name: string;
  readonly links: readonly (readonly [href: string, text: string])[];
  readonly number: number;
}) {
  return (
    <nav class="pages" aria-label={name}>
      {links.map(([href, text], position) => (
        <a href={href} {...(position + 1 === number && { "aria-current": "page" })}>
          {text}
        </a>
      ))}
    </nav>
  );
}
