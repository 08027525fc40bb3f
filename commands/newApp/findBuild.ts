import { posix } from "node:path";
import { readDockerfileImages } from "../../components/dockerfile/images";
import { readInstructions } from "../../components/dockerfile/instructions";
import { type PerPlatform, type Platform, platformsIn } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";
import type { Outside, Tree } from "./outside";

/** How a repository's image is built. */
export interface FoundBuild {
  /** Build context, where it is not the root. */
  readonly subdirectory?: string;
  /** Relative to the context; one for each platform where upstream has it so. Undefined: `Dockerfile`. */
  readonly dockerfile?: string | PerPlatform<string>;
  /** Of those asked about, the platforms all images it is built on have. */
  readonly platforms: readonly Platform[];
  readonly notes: readonly string[];
  /** What would stop the build. */
  readonly obstacles: readonly string[];
}

const isDockerfile = /^(?:Dockerfile|Containerfile)(?:[._-][\w.-]+)?$|^[\w.-]+\.(?:Dockerfile|Containerfile)$/i;
/** Folders and marks of Dockerfiles that are not for the released image. */
const aside =
  /(?:^|[/._-])(?:tests?|testing|examples?|samples?|dev|devel|devcontainer|debug|ci|e2e|docs?|hack|bench\w*|vendor|node_modules|third_party|fixtures?|hotfix|playground|cypress|cuda\w*|rocm|gpu|windows|save|old|base)(?=[/._-]|$)/i;
const architectures: Readonly<Record<Platform, RegExp>> = {
  "linux/amd64": /[._-](?:amd64|x86_64|x86-64|x64)$/i,
  "linux/arm64": /[._-](?:arm64|aarch64|arm64v8)$/i,
};

/** Finds the Dockerfile of the released image in a tree, its context, and the platforms it can be built for. Undefined: there is none. */
export async function findBuild(
  tree: Tree,
  wanted: readonly Platform[],
  probe: Outside["probe"],
): Promise<FoundBuild | undefined> {
  const found = tree.paths.filter((path) => isDockerfile.test(posix.basename(path)));
  const [main] = found.filter((path) => architectureOf(path) === undefined).toSorted(byRank);
  const special = specialFor(main ?? "Dockerfile", found);
  const first = main ?? Object.values(special)[0];
  if (first === undefined) return undefined;
  const others = found.filter((path) => path !== first && !Object.values(special).includes(path) && !aside.test(path));
  const text = (await tree.text(first)) ?? "";
  const context = contextOf(first, text, tree.paths);
  const paths = new Map(wanted.map((platform) => [platform, special[platform] ?? first]));
  const looks = await Promise.all(
    Array.from(paths, async ([platform, path]) => look(path, (await tree.text(path)) ?? "", platform, probe)),
  );
  const relative = (path: string) => (context === "" ? path : posix.relative(context, path));
  const each = platformsIn(special).length > 0;
  const dockerfile = each
    ? Object.fromEntries(Array.from(paths, ([platform, path]) => [platform, relative(path)]))
    : relative(first);
  return {
    ...(context !== "" && { subdirectory: context }),
    ...(dockerfile !== "Dockerfile" && { dockerfile }),
    platforms: wanted.filter((_, position) => looks[position]?.lacks.length === 0),
    notes: [
      ...(others.length > 0
        ? [`it has other Dockerfiles: ${others.slice(0, 8).join(", ")}${others.length > 8 ? ", ..." : ""}`]
        : []),
      ...valueless(first, text),
    ],
    obstacles: [...new Set(looks.flatMap(({ lacks, trouble }) => [...lacks, ...trouble]))],
  };
}

/** The plainest name in the highest folder comes first, and what is beside the point last. */
function byRank(left: string, right: string): number {
  return rank(left) - rank(right) || (left < right ? -1 : 1);
}

function rank(path: string): number {
  const name = posix.basename(path);
  const folder = posix.dirname(path);
  const plain = /^(?:Dockerfile|Containerfile)$/i.test(name)
    ? 0
    : /(?:^|[._-])(?:prod\w*|release)(?:[._-]|$)/i.test(name)
      ? 1
      : 2;
  const place =
    folder === "."
      ? 0
      : /^(?:docker|build|deploy\w*|container\w*|packaging|package|server|image)(?:\/|$)/i.test(folder)
        ? 3
        : 6;
  return (aside.test(path) ? 100 : 0) + place + plain + path.split("/").length;
}

function architectureOf(path: string): Platform | undefined {
  const stem = path.replace(/\.(?:Dockerfile|Containerfile)$/i, "");
  return platformsIn(architectures).find((platform) => architectures[platform]?.test(stem));
}

/** `Dockerfile-arm64` beside `Dockerfile`. */
function specialFor(main: string, found: readonly string[]): PerPlatform<string> {
  const beside = found.filter((path) => posix.dirname(path) === posix.dirname(main) && !aside.test(path));
  return Object.fromEntries(
    beside.flatMap((path) => {
      const platform = architectureOf(path);
      return platform === undefined ? [] : [[platform, path] as const];
    }),
  );
}

/** The folder where most of what the Dockerfile copies is: the root, or its own. */
function contextOf(path: string, text: string, paths: readonly string[]): string {
  const own = posix.dirname(path);
  if (own === ".") return "";
  const sources = copied(path, text);
  const under = (folder: string): number =>
    sources.filter((source) => {
      const full = posix.join(folder, source);
      return full === (folder || ".") || paths.some((one) => one === full || one.startsWith(`${full}/`));
    }).length;
  return under("") > under(own) || sources.length === 0
    ? ""
    : under(own) > under("")
      ? own
      : sources.includes(".")
        ? ""
        : own;
}

function copied(path: string, text: string): readonly string[] {
  try {
    const { instructions } = readInstructions(path, text);
    return instructions
      .filter(
        ({ keyword, flags }) => /^(?:copy|add)$/.test(keyword) && !flags.some((flag) => flag.startsWith("--from")),
      )
      .flatMap(({ rest }) =>
        rest
          .replace(/[[\]",]/g, " ")
          .trim()
          .split(/\s+/)
          .slice(0, -1),
      )
      .filter((source) => !/[$*?<]|^https?:/.test(source))
      .map((source) => posix.normalize(source.replace(/^\/+/, "")).replace(/\/$/, ""));
  } catch {
    return [];
  }
}

interface Look {
  /** Images without the platform. */
  readonly lacks: readonly string[];
  /** What could not be told. */
  readonly trouble: readonly string[];
}

async function look(path: string, text: string, platform: Platform, probe: Outside["probe"]): Promise<Look> {
  try {
    const { references } = readDockerfileImages({
      path,
      text,
      buildArguments: {},
      targetPlatform: platform,
      buildPlatform: "linux/amd64",
    });
    const needed = references.filter((reference) => reference.platform === "target").map(({ reference }) => reference);
    const answers = await Promise.all(
      [...new Set(needed)].map(async (reference): Promise<Look> => {
        const answer = await probe(reference);
        if (answer.state === "unknown")
          return { lacks: [], trouble: [`its base ${reference} cannot be looked up: ${answer.reason}`] };
        if (answer.state === "absent") return { lacks: [`its base ${reference} does not exist`], trouble: [] };
        const has = platform in { ...answer.platforms, ...answer.misdescribed };
        const repaired = /@sha256:/.test(reference);
        return has || repaired
          ? { lacks: [], trouble: [] }
          : { lacks: [`its base ${reference} is not there for ${platform}`], trouble: [] };
      }),
    );
    return { lacks: answers.flatMap(({ lacks }) => lacks), trouble: answers.flatMap(({ trouble }) => trouble) };
  } catch (error) {
    return { lacks: [], trouble: [reasonOf(error)] };
  }
}

const predefined = /^(?:(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|TARGETSTAGE|(?:HTTPS?|FTP|NO|ALL)_PROXY)$/i;

/** Arguments a build may want and the app's file does not give yet. */
function valueless(path: string, text: string): readonly string[] {
  const names = [...text.matchAll(/^\s*ARG\s+([A-Za-z_]\w*)\s*$/gim)].map(([, name = ""]) => name);
  const given = new Set([...text.matchAll(/^\s*ARG\s+([A-Za-z_]\w*)=/gim)].map(([, name = ""]) => name));
  const missing = [...new Set(names)].filter((name) => !predefined.test(name) && !given.has(name));
  return missing.length === 0
    ? []
    : [`${path} has arguments without a value: ${missing.join(", ")}; give them in buildArguments if it needs them`];
}
