import { h } from "./markup";
import type { CatalogueEvent } from "../schema";
import { shown } from "./render";

/** What a feed is about. */
export interface FeedFacts {
  /** Never changes. */
  readonly id: string;
  readonly title: string;
  /** Address of the site's root: absolute where it is known, else relative to the feed. */
  readonly root: string;
  /** The feed's own file, from the root, and the page it belongs to. */
  readonly file: string;
  readonly page: string;
  /** When the catalogue was made, for a feed without entries. */
  readonly generatedAt: string;
}

/** Entries in a feed: who reads it less often than that is told by the pages. */
const mostEntries = 100;

/** An Atom 1.0 feed (RFC 4287), newest first. What it says follows from the events alone, so that reading it twice gives the same. */
export function feed(facts: FeedFacts, events: readonly CatalogueEvent[]): string {
  const entries = shown(events.slice(0, mostEntries));
  const { id, title, root, file, page, generatedAt } = shown(facts);
  const xml = (
    <feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
      <id>{id}</id>
      <title type="text">{title}</title>
      <updated>{entries[0]?.at ?? generatedAt}</updated>
      <link rel="self" type="application/atom+xml" href={`${root}${file}`} />
      <link rel="alternate" type="text/html" href={`${root}${page}`} />
      <author>
        <name>multiarch-mirror</name>
      </author>
      {entries.map((event) => (
        <entry>
          <id>{event.id}</id>
          <title type="text">{event.title}</title>
          <updated>{event.at}</updated>
          <link rel="alternate" type="text/html" href={`${root}${event.page}`} />
          <category term={event.kind} />
          <summary type="text">{event.detail}</summary>
        </entry>
      ))}
    </feed>
  );
  return `<?xml version="1.0" encoding="utf-8"?>\n${xml.text}\n`;
}
