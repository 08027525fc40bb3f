import { h, type Markup } from "./markup";
import { visibleText } from "../../../components/model/safeText";
import type { CatalogueApp, CatalogueIndex, CatalogueVersion } from "../schema";
import { AppPage, appPageFile, versionsOnPage } from "./appPage";
import { IndexPage } from "./indexPage";
import { packagesOnPage, versionPageFile } from "./packagesSection";
import { VersionPage } from "./versionPage";

/** Files of a site and what they hold, by path. */
export type Pages = readonly (readonly [path: string, html: string])[];

export function indexPages(index: CatalogueIndex): Pages {
  return [["index.html", page(<IndexPage index={shown(index)} />)]];
}

export function appPages(app: CatalogueApp, index: CatalogueIndex): Pages {
  const [of, to] = [shown(app), shown(index)];
  return numbers(app.versions.length, versionsOnPage).map((number) => [
    `${app.app}/${appPageFile(number)}`,
    page(<AppPage app={of} index={to} number={number} />),
  ]);
}

export function versionPages(
  version: CatalogueVersion,
  title: string,
  index: Parameters<typeof VersionPage>[0]["index"],
): Pages {
  const [of, to, name] = [shown(version), shown(index), shown(title)];
  return numbers(version.packages.length, packagesOnPage).map((number) => [
    `${version.app}/${version.tag}/${versionPageFile(number)}`,
    page(<VersionPage version={of} title={name} index={to} number={number} />),
  ]);
}

function numbers(count: number, each: number): readonly number[] {
  return Array.from({ length: Math.max(1, Math.ceil(count / each)) }, (_, position) => position + 1);
}

function page(content: Markup): string {
  return `<!DOCTYPE html>\n${content.text}\n`;
}

/** Longer text is nobody's to read on a page; the JSON has it whole. */
const longest = 2000;

/**
 * Everything in it with text that shows what it is: the templates escape markup, and this what would turn lines around or hide.
 * Done in one place for whole files, so that no template can forget it.
 */
export function shown<T>(value: T): T {
  return deep(value) as T;
}

function deep(value: unknown): unknown {
  if (typeof value === "string") return visibleText(value, longest);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [visibleText(key, longest), deep(inner)]));
}
