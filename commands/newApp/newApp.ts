import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkApps } from "../../components/config/checkApps";
import { selectWindow } from "../../components/decide/window";
import { summariseRejected } from "../../components/discover/discover";
import type { AppSpecification } from "../../components/model/appSpecification";
import { printable } from "../../components/model/safeText";
import { gitUrl } from "../../components/model/source";
import type { Platform } from "../../components/model/platform";
import type { Release } from "../../components/model/release";
import { type AppDraft, appFile, testFile, variableOf, withApp } from "./appFile";
import { type FoundBuild, findBuild } from "./findBuild";
import { findOfficial } from "./findOfficial";
import { aboutRepository, findVersions } from "./findVersions";
import { licenceOf } from "./licence";
import type { Outside, Tree } from "./outside";

/** What to look at, and where to write. */
export interface NewAppRequest {
  /** A repository: `owner/name` on GitHub, or its address anywhere. */
  readonly repository: string;
  /** Default: the repository's name. */
  readonly name?: string;
  /** Root of this project. */
  readonly root: string;
  /** Apps there are. */
  readonly known: readonly AppSpecification[];
  /** Look only. */
  readonly dryRun?: boolean;
  readonly say: (line: string) => void;
}

/** Makes text as the project's formatter has it. */
export type Format = (text: string) => Promise<string>;

const usual: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const keep = 10;

/**
 * Looks at a repository and writes what mirrors it: the app's file, its line in the list of apps, and a test of its choice of versions.
 * It says what would be mirrored, and what would stop that.
 * @throws Error, before anything is written, when a file or app of the name exists, the repository cannot be read, or there is nothing to build.
 */
export async function newApp(request: NewAppRequest, outside: Outside, format: Format): Promise<AppDraft> {
  const { known, root, say } = request;
  const url = gitUrl(asRepository(request.repository));
  const title = titleOf(url);
  const name =
    request.name ??
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "");
  const files = {
    app: `apps/${variableOf(name)}.ts`,
    test: `test/apps/${variableOf(name)}.test.ts`,
    index: "apps/index.ts",
  };
  if (known.some((app) => app.name === name))
    throw new Error(`there is an app ${JSON.stringify(name)} already; give another --name`);
  for (const path of [files.app, files.test]) await mustBeFree(join(root, path));

  const versions = await findVersions(url, outside.upstream);
  const { releases } = selectWindow(versions.discovery.releases, { keep, now: new Date() });
  const [highest] = releases;
  if (!highest) throw new Error(`no version of ${JSON.stringify(url)} would be mirrored`);
  const found = await outside.tree(url, highest, async (tree) => ({
    build: await findBuild(tree, usual, outside.probe),
    official: await findOfficial(url, tree, highest, outside.probe),
    licenses: await licenceOf(tree),
  }));
  const { build, official } = found;
  if (!build)
    throw new Error(
      `${highest.tag} of ${JSON.stringify(url)} has no Dockerfile; write one of your own (ownDockerfile, see docs/apps.md) and the app's file by hand`,
    );
  const about = await aboutRepository(url, outside.upstream);
  const draft: AppDraft = {
    name,
    title,
    page: url.replace(/\.git$/, ""),
    about: { ...(found.licenses !== undefined && { licenses: found.licenses }), ...about },
    versions,
    build,
    ...(official && ("image" in official ? { official } : { unseen: official.trouble })),
    usual,
    window: releases.map(({ version }) => version),
  };
  const text = appFile(draft);
  const index = withApp(await readFile(join(root, files.index), "utf8"), name);
  refuseMistakes(draft);
  report(draft, await oldestObstacle(url, releases, build, outside), say);
  if (request.dryRun) return draft;
  await writeFile(join(root, files.app), await format(text), { flag: "wx" });
  await writeFile(join(root, files.test), await format(testFile(draft)), { flag: "wx" });
  if (index === undefined) say(`${files.index} is not written as expected: add ${variableOf(name)} to it by hand`);
  else await writeFile(join(root, files.index), await format(index));
  say(`written: ${files.app}, ${files.test}${index === undefined ? "" : `, ${files.index}`}`);
  say(
    `next: add a smoke command to ${files.app} (docs/apps.md), and ${name} to the stack's apps; then this, which writes the schema of stack files too:`,
  );
  say("npx vitest run test/apps test/config/stackFileSchema.test.ts --update");
  return draft;
}

/** A repository named like any other (`server`, `v2`) is known by its owner. */
function titleOf(url: string): string {
  const [name = "", owner = ""] = url
    .replace(/\.git$/, "")
    .split("/")
    .reverse();
  return /^(?:v?\d+|app|backend|core|docker|main|server)$/i.test(name) ? owner : name;
}

/** Pages of a repository, as people copy them, lead to its git address. */
function asRepository(given: string): string {
  const [, page, name] = /^https:\/\/(github\.com\/([^/\s]+\/[^/\s?#]+?))(?:\.git)?(?:[/?#].*)?$/.exec(given) ?? [];
  if (page !== undefined && name !== undefined) return name;
  const bare = given.replace(/\/-\/.*$|\/+$/, "");
  return /^https?:\/\//.test(bare) && !bare.endsWith(".git") ? `${bare}.git` : bare;
}

async function mustBeFree(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw new Error(`${JSON.stringify(path)} exists and is not overwritten; give another --name`);
}

/** The file would be refused when the program starts: then the fault is here, or in what was given. */
function refuseMistakes({ name, versions, build }: AppDraft): void {
  const { subdirectory, dockerfile } = build;
  const problems = checkApps([
    {
      name,
      source: versions.source,
      ...(versions.tagRule && { tagRule: versions.tagRule }),
      ...(subdirectory !== undefined && { subdirectory }),
      ...(dockerfile !== undefined && { dockerfile }),
    },
  ]);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** What the highest version has, the oldest one may not have had yet. */
async function oldestObstacle(
  url: string,
  releases: readonly Release[],
  build: FoundBuild,
  outside: Outside,
): Promise<string | undefined> {
  const oldest = releases.at(-1);
  if (!oldest || releases.length === 1) return undefined;
  const given = build.dockerfile ?? "Dockerfile";
  const relative = typeof given === "string" ? [given] : Object.values(given);
  const wanted = relative.map((path) => (build.subdirectory === undefined ? path : `${build.subdirectory}/${path}`));
  const missing = await outside.tree(url, oldest, async ({ paths }: Tree) =>
    wanted.find((path) => !paths.includes(path)),
  );
  return missing === undefined ? undefined : `${oldest.tag}, the oldest of them, has no ${missing}`;
}

function report(draft: AppDraft, oldest: string | undefined, say: (line: string) => void): void {
  const { name, versions, build, official, unseen, window } = draft;
  const { source, tagRule, doubt, discovery, notes } = versions;
  say(
    `app ${name}, versions from ${Object.values(source)
      .map((value) => printable(value, 200))
      .join(" ")}`,
  );
  say(`tag rule: ${tagRule ? String(tagRule) : "the default"}`);
  say(`would be mirrored: ${window.join(" ")}`);
  const { subdirectory = ".", dockerfile = "Dockerfile" } = build;
  say(
    `built in ${subdirectory} from ${typeof dockerfile === "string" ? dockerfile : Object.values(dockerfile).join(", ")}`,
  );
  say(`platforms: ${build.platforms.join(", ") || "none known"}`);
  const none = unseen === undefined ? "none found" : `none found, but not all could be looked up: ${unseen}`;
  say(`upstream's own image: ${official ? `${official.image} (${official.platforms.join(", ")})` : none}`);
  for (const line of summariseRejected(discovery.rejected, 5)) say(line);
  for (const note of [...notes, ...build.notes]) say(`note: ${note}`);
  const obstacles = [
    ...(doubt === undefined ? [] : [doubt]),
    ...build.obstacles,
    ...(oldest === undefined ? [] : [oldest]),
    ...(build.platforms.length === 0 ? ["it cannot be built for any platform as it is"] : []),
  ];
  for (const obstacle of obstacles) say(`in the way: ${obstacle}`);
  if (obstacles.length === 0) say("nothing is in the way");
}
