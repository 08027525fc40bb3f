import { join } from "node:path";
import { checkout } from "../../components/engine/checkout";
import { newestFirst } from "./events";
import { badgeJson, badgeSvg } from "./pages/badge";
import { feed } from "./pages/feed";
import { appPages, indexPages, versionPages, type Pages } from "./pages/render";
import { sitemap } from "./pages/sitemap";
import type { CatalogueApp, CatalogueIndex, CatalogueVersion } from "./schema";
import type { SiteDraft } from "./site";

const assets = join(checkout, "commands", "catalogue", "assets");

/** Writes a version's pages. They say nothing of the run, so that they change only with the version. */
export async function writeVersionPages(
  draft: SiteDraft,
  version: CatalogueVersion,
  title: string,
  index: Parameters<typeof versionPages>[2],
): Promise<void> {
  await writePages(draft, versionPages(version, title, index));
}

/** Writes everything else of a site: the pages of apps, feeds, badges, the first page, the map, style and script. */
export async function writeSitePages(
  draft: SiteDraft,
  index: CatalogueIndex,
  apps: readonly CatalogueApp[],
): Promise<void> {
  for (const app of apps) {
    await writePages(draft, appPages(app, index));
    await draft.write(`${app.app}/feed.xml`, feed(appFeed(app, index), app.events));
    await draft.write(`${app.app}/badge.svg`, badgeSvg(app));
    await draft.writeJson(`${app.app}/badge.json`, badgeJson(app));
  }
  const all = apps.flatMap(({ events }) => events).toSorted(newestFirst);
  await draft.write("feed.xml", feed(wholeFeed(index), all));
  if (index.url !== undefined) await draft.write("sitemap.xml", sitemap(index.url, apps));
  await writePages(draft, indexPages(index));
  for (const asset of ["style.css", "catalogue.js", "icon.svg"]) await draft.copy(asset, join(assets, asset));
}

async function writePages(draft: SiteDraft, pages: Pages): Promise<void> {
  for (const [path, html] of pages) await draft.write(path, html);
}

function wholeFeed({ registry, namespace, generatedAt, url }: CatalogueIndex): Parameters<typeof feed>[0] {
  const id = `tag:multiarch-mirror.github.io,2026:${registry}/${namespace}`;
  const title = `Image mirror ${registry}/${namespace}`;
  return { id, title, root: url ?? "", file: "feed.xml", page: "index.html", generatedAt };
}

function appFeed(app: CatalogueApp, { url, generatedAt }: CatalogueIndex): Parameters<typeof feed>[0] {
  const id = `tag:multiarch-mirror.github.io,2026:${app.repository}`;
  const [file, page] = [`${app.app}/feed.xml`, `${app.app}/index.html`];
  return { id, title: `${app.title} in the image mirror`, root: url ?? "../", file, page, generatedAt };
}
