import { existsSync } from "node:fs";
import type { AppSpecification } from "../model/appSpecification";
import { appSchema } from "./appSchema";
import { check, type ConfigPath, formatValue, problemLine } from "./problems";
import { isRepositoryPath } from "../model/source";
import { isRecord, noSuch } from "./schemaParts";

/** The files of this project, for what an app file refers to. */
export interface CheckContext {
  readonly exists?: (path: string) => boolean;
}

/**
 * Finds every mistake in the app files before anything is asked or built: each app by itself, and all of them together (names
 * that occur twice, bases that do not exist, apps that build on each other in a circle).
 * @returns a line per mistake, naming app, field, value and what is accepted; none when all is well.
 */
export function checkApps(
  apps: readonly AppSpecification[],
  { exists = existsSync }: CheckContext = {},
): readonly string[] {
  const checked = apps.map((app, position) => ({ app, problems: mistakesOf(app, position, exists) }));
  const whole = checked.flatMap(({ app, problems }) => (problems.length === 0 ? [app] : []));
  const names = apps.flatMap((app: unknown) => (isRecord(app) && typeof app["name"] === "string" ? [app["name"]] : []));
  return [
    ...checked.flatMap(({ problems }) => problems),
    ...duplicates(names).map((name) => line(name, ["name"], name, "another app has the same name")),
    ...whole.flatMap((app) => unknownBases(app, names)),
    ...circles(whole).map(({ name, circle }) =>
      line(
        name,
        ["bases"],
        circle,
        "apps build on each other in a circle; accepted are bases that build on none of them",
      ),
    ),
  ];
}

function mistakesOf(app: unknown, position: number, exists: (path: string) => boolean): readonly string[] {
  const name = isRecord(app) && typeof app["name"] === "string" ? app["name"] : `number ${position + 1}`;
  const result = check(appSchema, app, { subject: subject(name) });
  const found = result.success ? [] : [...result.problems];
  if (!isRecord(app)) return found;
  const { ownDockerfile, dockerfile } = app;
  if (ownDockerfile !== undefined && dockerfile !== undefined)
    found.push(line(name, ["dockerfile"], dockerfile, "ownDockerfile takes its place: give one of them"));
  const own = isRecord(ownDockerfile) ? Object.values(ownDockerfile) : [ownDockerfile];
  for (const path of own)
    if (typeof path === "string" && isRepositoryPath(path) && !exists(path))
      found.push(line(name, ["ownDockerfile"], path, "accepted is a file of this project"));
  const each = ownDockerfile ?? dockerfile;
  for (const platform of isRecord(each) && Array.isArray(app["platforms"]) ? app["platforms"] : [])
    if (isRecord(each) && typeof platform === "string" && !Object.hasOwn(each, platform))
      found.push(line(name, ["platforms"], platform, "no Dockerfile is named for it"));
  return found;
}

function unknownBases({ name, bases = [] }: AppSpecification, names: readonly string[]): readonly string[] {
  const unknown = bases.flatMap(({ app }, position) =>
    names.includes(app) ? [] : [line(name, ["bases", position, "app"], app, noSuch("app", app, names))],
  );
  const contexts = bases.map(({ context }) => context);
  return [
    ...unknown,
    ...duplicates(contexts).map((context) =>
      line(name, ["bases"], context, "two bases stand in for the same reference"),
    ),
  ];
}

/** Each circle once, told from the app that comes first in it. */
function circles(
  apps: readonly AppSpecification[],
): readonly { readonly name: string; readonly circle: readonly string[] }[] {
  const byName = new Map(apps.map((app) => [app.name, app]));
  const done = new Set<string>();
  const found: { name: string; circle: readonly string[] }[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start >= 0) found.push({ name, circle: [...path.slice(start), name] });
    if (start >= 0 || done.has(name)) return;
    for (const { app } of byName.get(name)?.bases ?? []) visit(app, [...path, name]);
    done.add(name);
  };
  for (const name of byName.keys()) visit(name, []);
  return found;
}

function duplicates(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, position) => names.indexOf(name) !== position))];
}

function line(name: string, path: ConfigPath, value: unknown, message: string): string {
  return problemLine(subject(name), path, value, message);
}

function subject(name: string): string {
  return `app ${formatValue(name)}`;
}
