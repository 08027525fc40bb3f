import type { CatalogueApp } from "../schema";
import { Fragment, h } from "./markup";

/** The first page of everything, for search engines. Source: https://www.sitemaps.org/protocol.html, which wants whole addresses. */
export function sitemap(url: string, apps: readonly CatalogueApp[]): string {
  const pages = [
    "index.html",
    ...apps.flatMap(({ app, versions }) => [
      `${app}/index.html`,
      ...versions.map(({ tag }) => `${app}/${tag}/index.html`),
    ]),
  ];
  const set = (
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
      {pages.map((page) => (
        <>
          <url>
            <loc>{`${url}${page}`}</loc>
          </url>
          {"\n"}
        </>
      ))}
    </urlset>
  );
  return `<?xml version="1.0" encoding="utf-8"?>\n${set.text}\n`;
}
