import type { CatalogueApp } from "../schema";
import { h } from "./markup";
import { shown } from "./render";

const colours: Readonly<Record<CatalogueApp["state"], string>> = {
  complete: "#1a6b3c",
  incomplete: "#7d5200",
  failing: "#a3281f",
  empty: "#5c646c",
};

/** What an app's badge says: the platforms of its newest version, and how it stands where that is not well. */
function badgeText({ app, state, versions }: CatalogueApp): {
  readonly label: string;
  readonly message: string;
} {
  const newest = versions[0];
  if (newest === undefined) return { label: app, message: "nothing published" };
  const names = newest.platforms.map(({ platform }) => platform.replace(/^linux\//, ""));
  const message = [newest.version, names.join(" | "), ...(state === "complete" ? [] : [state])].join(" · ");
  return { label: app, message };
}

/** For shields.io. Source: https://shields.io/badges/endpoint-badge. */
export function badgeJson(app: CatalogueApp): object {
  return { schemaVersion: 1, ...badgeText(app), color: colours[app.state].slice(1) };
}

/** The width of a character, in the font every machine has something like. */
const characterWidth = 6.7;
const padding = 8;

/** The badge itself, for pages that load nothing from elsewhere. */
export function badgeSvg(app: CatalogueApp): string {
  const { label, message } = shown(badgeText(app));
  const [left, right] = [label, message].map((text) => Math.ceil([...text].length * characterWidth) + 2 * padding) as [
    number,
    number,
  ];
  const text = { "font-family": "Verdana,DejaVu Sans,sans-serif", "font-size": 11, fill: "#fff", y: 14 };
  const svg = (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={left + right}
      height={20}
      role="img"
      aria-label={`${label}: ${message}`}
    >
      <title>{`${label}: ${message}`}</title>
      <rect width={left + right} height={20} rx={4} fill="#3c434a" />
      <rect x={left} width={right} height={20} rx={4} fill={colours[app.state]} />
      <rect x={left} width={4} height={20} fill={colours[app.state]} />
      <text x={padding} textLength={left - 2 * padding} {...text}>
        {label}
      </text>
      <text x={left + padding} textLength={right - 2 * padding} {...text}>
        {message}
      </text>
    </svg>
  );
  return `${svg.text}\n`;
}
