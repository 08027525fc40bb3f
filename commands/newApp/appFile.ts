import type { PerPlatform, Platform } from "../../components/model/platform";
import { safeText } from "../../components/model/safeText";
import { namesALine } from "../../components/decide/versions";
import { compareVersions, naturalOrder } from "../../components/model/version";
import type { FoundBuild } from "./findBuild";
import type { FoundOfficial } from "./findOfficial";
import type { About, FoundVersions } from "./findVersions";

/** What is known of an app to be written. */
export interface AppDraft {
  /** Of the image and in the stack configuration. */
  readonly name: string;
  readonly title: string;
  /** Its page, for people. */
  readonly page: string;
  readonly about: About;
  readonly versions: FoundVersions;
  readonly build: FoundBuild;
  readonly official?: FoundOfficial;
  /** Why it is not known whether there is one. */
  readonly unseen?: string;
  /** Platforms the stack wants unless it is said. */
  readonly usual: readonly Platform[];
  /** The versions that would be mirrored, highest first. */
  readonly window: readonly string[];
}

/** Words that name nothing in TypeScript. */
const reserved =
  /^(?:default|delete|class|const|enum|export|import|function|new|return|switch|this|var|void|with|apps)$/;
/** Tags in the test of an app's choice: the highest, which decide it, and no more than a person reads. */
const mostTags = 120;

/** The name of an app as a variable and file: `docker-pi-hole` is `dockerPiHole`. */
export function variableOf(name: string): string {
  const camel = name.replace(/[._-]+(.)/g, (_, letter: string) => letter.toUpperCase());
  return /^[a-z]/.test(camel) && !reserved.test(camel) ? camel : `app${camel.charAt(0).toUpperCase()}${camel.slice(1)}`;
}

/** The text of the app's file. All that comes from upstream stands in it as a quoted text. */
export function appFile(draft: AppDraft): string {
  const { name, title, page, about, versions, build, official, usual } = draft;
  const { description = `${title}, built from its own Dockerfile`, licenses, homepage } = about;
  const lines = [
    `name: ${quoted(name)},`,
    `title: ${quoted(title)},`,
    `description: ${quoted(description)},`,
    ...(licenses === undefined ? [] : [`licenses: ${quoted(licenses)},`]),
    `url: ${quoted(homepage ?? page)},`,
    `source: { ${Object.entries(versions.source)
      .map(([field, value]) => `${field}: ${quoted(value)}`)
      .join(", ")} },`,
    ...(versions.tagRule ? [`tagRule: ${String(versions.tagRule)},`] : []),
    ...(build.subdirectory === undefined ? [] : [`subdirectory: ${quoted(build.subdirectory)},`]),
    ...(build.dockerfile === undefined ? [] : [`dockerfile: ${dockerfileOf(build.dockerfile)},`]),
    ...(sameAs(build.platforms, usual) || build.platforms.length === 0
      ? []
      : [`platforms: [${build.platforms.map(quoted).join(", ")}],`]),
    ...(official ? [`official: { reference: ${referenceOf(official)} },`] : []),
  ];
  return [
    'import type { AppSpecification } from "../components/model/appSpecification";',
    "",
    `/** ${comment(description)} */`,
    `export const ${variableOf(name)}: AppSpecification = {`,
    ...lines.map((line) => `  ${line}`),
    "};",
    "",
  ].join("\n");
}

/** The text of a test of which versions the app chooses of the tags upstream has now. */
export function testFile({ name, versions, window }: AppDraft): string {
  const variable = variableOf(name);
  const choice = window.map(quoted).join(", ");
  if (versions.source.kind === "gitBranch") {
    return [
      'import { expect, it } from "vitest";',
      `import { ${variable} } from "../../apps/${variable}";`,
      "",
      `it("follows a branch", () => {`,
      `  expect(${variable}.source).toMatchObject({ kind: "gitBranch", branch: ${quoted(versions.source.branch)} });`,
      "});",
      "",
    ].join("\n");
  }
  return [
    'import { expect, it } from "vitest";',
    `import { ${variable} } from "../../apps/${variable}";`,
    'import { windowOf } from "./target";',
    "",
    "/** The tags upstream had when the app was added, as far as they matter. */",
    `const tags = ${JSON.stringify(tagsOf(versions).join(" "))}.split(" ");`,
    "",
    `it("keeps the highest versions of ${name}", () => {`,
    `  expect(windowOf(${variable}, tags, ${window.length})).toEqual([${choice}]);`,
    "});",
    "",
  ].join("\n");
}

/** The list of apps with one more, or undefined where it is not written as expected. */
export function withApp(index: string, name: string): string | undefined {
  const variable = variableOf(name);
  const list = /(export const apps\b[^=]*=\s*\[)([^]*?),?(\s*\];)/;
  const imports = [...index.matchAll(/^import .*;$/gm)];
  const last = imports.at(-1);
  if (!list.test(index) || last === undefined) return undefined;
  const end = last.index + last[0].length;
  const extended = `${index.slice(0, end)}\nimport { ${variable} } from "./${variable}";${index.slice(end)}`;
  return extended.replace(
    list,
    (_, head: string, items: string, tail: string) => `${head}${items}, ${variable}${tail}`,
  );
}

/** Tags a release list or git names, less those no rule ever meets and those only their commits tell from versions, highest first. */
function tagsOf({ tags, discovery }: FoundVersions): readonly string[] {
  const versions = new Map(discovery.releases.map(({ tag, version }) => [tag, version]));
  const lines = new Set(discovery.rejected.filter(({ reason }) => reason === namesALine).map(({ tag }) => tag));
  const harmless = tags.filter((tag) => /^[A-Za-z0-9@][A-Za-z0-9._+@/-]*$/.test(tag) && !lines.has(tag));
  const [read, unread] = [harmless.filter((tag) => versions.has(tag)), harmless.filter((tag) => !versions.has(tag))];
  const highest = read.toSorted((left, right) => compareVersions(versions.get(left) ?? "", versions.get(right) ?? ""));
  return [
    ...highest.slice(0, mostTags / 2),
    ...unread.toSorted((left, right) => naturalOrder(right, left)).slice(0, mostTags / 2),
  ];
}

function dockerfileOf(dockerfile: string | PerPlatform<string>): string {
  if (typeof dockerfile === "string") return quoted(dockerfile);
  const entries = Object.entries(dockerfile).map(([platform, path]) => `${quoted(platform)}: ${quoted(path)}`);
  return `{ ${entries.join(", ")} }`;
}

function referenceOf({ image, tagged }: FoundOfficial): string {
  const name = image.replace(/[`$\\]/g, "");
  switch (tagged) {
    case "version":
      return `({ version }) => \`${name}:\${version}\``;
    case "tag":
      return `({ tag }) => \`${name}:\${tag}\``;
    case "v":
      return `({ version }) => \`${name}:v\${version}\``;
    default:
      return tagged satisfies never;
  }
}

/** JSON is TypeScript; what is invisible or odd in upstream's words is spelt out. */
function quoted(text: string): string {
  return JSON.stringify(safeText(text, 300));
}

function comment(text: string): string {
  const sentence = safeText(text, 200).replaceAll("*/", "* /");
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

function sameAs(left: readonly Platform[], right: readonly Platform[]): boolean {
  return left.length === right.length && left.every((platform) => right.includes(platform));
}
