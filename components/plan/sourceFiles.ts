import { readFile } from "node:fs/promises";
import type { SourceRequest as SourceTreeRequest, SourceTree } from "../discover/sourceTree";
import type { AppSpecification, ArgumentSource } from "../model/appSpecification";
import type { Platform } from "../model/platform";
import { gitReferenceOf } from "../model/release";
import { printable } from "../model/safeText";
import { inTime } from "../model/tagRule";
import type { BuildRequest } from "./planEdges";

/** What a source tree is asked for. */
export type SourceRequest = Required<Pick<SourceTreeRequest, "url" | "commit" | "reference" | "paths" | "needed">>;
/** Texts of the files asked for, as far as the commit has them, and when it was made. */
export type ReadSource = (request: SourceRequest) => Promise<SourceTree>;

/** What building a version needs of the files of its commit. */
export interface SourceFiles {
  readonly dockerfiles: readonly {
    readonly path: string;
    readonly text: string;
    /** The builder may find another text under its path than the commit has. */
    readonly inDoubt: boolean;
    readonly platforms: readonly Platform[];
  }[];
  /** Build arguments that were read from files. */
  readonly arguments: Readonly<Record<string, string>>;
  readonly committedAt: string;
  /** What the builder will find other than in a checkout of upstream's. */
  readonly warnings: readonly string[];
}

/**
 * Reads all that is wanted of the commit at once. An app with a Dockerfile of ours may have none upstream.
 * @throws Error when a file is missing.
 */
export async function readSourceFiles(
  url: string,
  { specification, release, platforms }: BuildRequest,
  readSource: ReadSource,
): Promise<SourceFiles> {
  const { ownDockerfile, argumentsFromFiles = {} } = specification;
  const pathOf = new Map(platforms.map((platform) => [platform, dockerfilePath(specification, platform)]));
  const distinct = [...new Set(pathOf.values())];
  const needed = [
    ...(ownDockerfile === undefined ? distinct : []),
    ...Object.values(argumentsFromFiles).map(({ path }) => path),
  ];
  const asUpstream = ownDockerfile === undefined ? distinct.flatMap(attributeFiles) : [];
  const paths = [...new Set([...needed, ...asUpstream, ".gitattributes", ".gitmodules"])];
  const { commit } = release;
  const request = { url, commit, reference: gitReferenceOf(release), paths, needed };
  const { files, linked = [], misspelt, committedAt } = await readSource(request);
  // Attributes that apply where a link leads are not asked for. What is this project's own, git does not write.
  const inDoubt = (path: string): boolean =>
    ownDockerfile === undefined &&
    (linked.includes(path) || attributeFiles(path).some((file) => rewriting.test(files.get(file) ?? "")));
  const text = (path: string): string => {
    const found = files.get(path);
    if (found !== undefined) return found;
    const other = misspelt?.get(path);
    const hint = other === undefined ? "" : `; there is ${printable(other, 200)}, which the app's file may name`;
    throw new Error(`commit ${commit} of ${url} has no file ${JSON.stringify(path)}${hint}`);
  };
  const read = async (path: string) => (ownDockerfile === undefined ? text(path) : readFile(path, "utf8"));
  return {
    dockerfiles: await Promise.all(
      distinct.map(async (path) => ({
        ...{ path, text: await read(path), inDoubt: inDoubt(path) },
        platforms: platforms.filter((platform) => pathOf.get(platform) === path),
      })),
    ),
    arguments: Object.fromEntries(
      Object.entries(argumentsFromFiles).map(([name, from]) => [name, argumentFrom(name, from, text(from.path))]),
    ),
    committedAt,
    warnings: sourceWarnings(files),
  };
}

/** Path of the Dockerfile of a platform: of this project's own, or in upstream's tree. */
function dockerfilePath(
  { subdirectory, dockerfile, ownDockerfile, name }: AppSpecification,
  platform: Platform,
): string {
  const given = ownDockerfile ?? dockerfile ?? "Dockerfile";
  const path = typeof given === "string" ? given : given[platform];
  if (path === undefined)
    throw new Error(
      `app ${JSON.stringify(name)} has no Dockerfile for ${platform}; it names one for ${Object.keys(given).join(", ")}`,
    );
  return ownDockerfile !== undefined || subdirectory === undefined ? path : `${subdirectory}/${path}`;
}

/** The files that may say how git writes a file, from the root to its folder. */
function attributeFiles(path: string): readonly string[] {
  const folders = path.split("/").slice(0, -1);
  return [[], ...folders.map((_, depth) => folders.slice(0, depth + 1))].map((at) =>
    [...at, ".gitattributes"].join("/"),
  );
}

/** Attributes by which git writes a file into a working tree, as BuildKit has it do, otherwise than the commit has it. */
const rewriting = /\b(?:working-tree-encoding|ident)\b/;

/** A version, a name, a path; nothing that means something to a shell a Dockerfile may hand it to. */
const harmless = /^[A-Za-z0-9][A-Za-z0-9._+:/@~-]{0,199}$/;

function argumentFrom(name: string, { path, pattern }: ArgumentSource, text: string): string {
  const place = `build argument ${name} cannot be read from ${JSON.stringify(path)} of the commit`;
  const value = pattern
    ? inTime(
        `${place}: ${pattern}`,
        () => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).exec(text)?.[1],
      )
    : text.trim();
  if (value === undefined) throw new Error(`${place}: ${String(pattern)} does not match, or captures nothing`);
  if (harmless.test(value)) return value;
  throw new Error(`${place}: ${printable(value)} is not accepted; accepted are letters, digits and . _ + : / @ ~ -`);
}

function sourceWarnings(files: SourceTree["files"]): readonly string[] {
  const [attributes = "", modules = ""] = [files.get(".gitattributes"), files.get(".gitmodules")];
  const lines = attributes.split("\n").map((line) => line.trim().split(/[ \t]+/));
  const kept = lines.filter(([pattern = "", ...set]) => !pattern.startsWith("#") && set.includes("filter=lfs"));
  const names = (values: readonly (string | undefined)[]) => printable(values.slice(0, 5).join(", "), 200);
  const patterns = names(kept.map(([pattern]) => pattern));
  const paths = modules.split("\n").flatMap((line) => /^[ \t]*path[ \t]*=[ \t]*(.+)$/.exec(line)?.[1] ?? []);
  return [
    ...(kept.length > 0 ? [`upstream keeps ${patterns} in Git LFS: the builder finds pointers in their place`] : []),
    ...(paths.length > 0
      ? [`upstream has submodules in ${names(paths)}: the builder fetches them, and no record of the image names them`]
      : []),
  ];
}
