import { z } from "zod";
import type { FloatingTagRule } from "../model/appSpecification";
import { acceptedPlatforms, parsePlatform } from "../model/platform";
import { parseReference } from "../model/reference";
import { acceptedRepositoryPath, isRepositoryPath } from "../model/repositoryPath";
import { acceptedTagRule, tagRuleMistake } from "../model/tagRule";
import { resolveSource } from "../model/source";
import { keepSchema } from "./keepSchema";
import { accepting, delegate, fields, isRecord, type Schema, text, uniqueList } from "./schemaParts";
import { noSuch } from "./noSuch";

const longestText = 1000;

/** For people, but on its way into labels: one line. */
const line = text(`one line of at most ${longestText} characters`, (value) =>
  value !== "" && value.length <= longestText && !/[\x00-\x1f\x7f]/.test(value) ? value : undefined,
);

const webAddress = text("an http or https address", (value) =>
  /^https?:\/\//.test(value) && URL.canParse(value) && !/[\s\x00-\x1f\x7f]/.test(value) ? value : undefined,
);

const repositoryPath = text(acceptedRepositoryPath, (value) => (isRepositoryPath(value) ? value : undefined));

const imagePath = text('an absolute path in the image, without ".." and "//"', (value) =>
  value.startsWith("/") && isRepositoryPath(value.slice(1)) ? value : undefined,
);

const aFunction = accepting("a function", (value) => (typeof value === "function" ? value : undefined));

/** Written in its normal form, because it is compared as it is. */
const platform = text(`one of ${acceptedPlatforms.join(", ")}`, (value) =>
  parsePlatform(value) === value ? value : undefined,
);

function oneOf<T extends string>(...words: readonly T[]): Schema<T> {
  return accepting(`one of ${words.join(", ")}`, (value) => words.find((word) => word === value));
}

/** A name that is part of image references and resource names. */
const name = text(
  "a name in lower case: parts of a-z 0-9, joined by single . _ or -, at most 128 characters",
  (value) => (value.length <= 128 && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(value) ? value : undefined),
);

const tagRule = z.unknown().transform((value, context) => {
  const mistake = value instanceof RegExp ? tagRuleMistake(value) : "it is no regular expression";
  if (mistake === undefined) return value as RegExp;
  context.addIssue({ code: "custom", message: `${mistake}; accepted is ${acceptedTagRule}` });
  return z.NEVER;
});

const url = accepting("a git URL", (value) => (typeof value === "string" ? value : undefined));
const sources = {
  githubReleases: fields("a source", { kind: z.unknown(), repository: url }),
  gitTags: fields("a source", { kind: z.unknown(), url }),
  gitBranch: fields("a source", { kind: z.unknown(), url, branch: url }),
} as const;

/** The grammar of each kind is the one it is read with later. */
const source = z.unknown().transform((value, context) => {
  const kinds = Object.keys(sources);
  const kind = isRecord(value) ? String(value["kind"]) : "";
  if (!isKind(kind)) {
    const message = isRecord(value) ? noSuch("kind of source", kind, kinds) : `accepted is a map with a kind`;
    context.addIssue({ code: "custom", message, path: isRecord(value) ? ["kind"] : [] });
    return z.NEVER;
  }
  const before = context.issues.length;
  const read = delegate(sources[kind] as Schema<unknown>, value, context);
  if (context.issues.length > before) return z.NEVER;
  try {
    resolveSource(read as Parameters<typeof resolveSource>[0]);
  } catch (error) {
    const message = (error as Error).message.replace(/^.*?; /, "");
    context.addIssue({ code: "custom", message });
  }
  return read;
});

function isKind(kind: string): kind is keyof typeof sources {
  return Object.hasOwn(sources, kind);
}

const labels = z.unknown().transform((value, context) => {
  if (!isRecord(value)) {
    context.addIssue({ code: "custom", message: "accepted is a map from label to text" });
    return z.NEVER;
  }
  for (const [key, content] of Object.entries(value)) {
    if (!/^[a-z0-9][a-z0-9._/-]{0,127}$/i.test(key)) {
      context.addIssue({ code: "custom", message: "accepted as a label are letters, digits and . _ / -", path: [key] });
    } else delegate(line, content, context, [key]);
  }
  return value;
});

const base = fields("a base", {
  context: text("the reference after FROM, or a name of your own", (value) =>
    parseReference(value) ? value : undefined,
  ),
  app: name,
});

const smoke = fields("a smoke test", {
  command: accepting("a list of texts, the first one the program", (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isArgument) && value[0] !== "" ? value : undefined,
  ),
  expect: aFunction,
});

const identical = fields("a comparison", {
  path: imagePath,
  file: aFunction,
  replaces: accepting("true or false", (value) => (typeof value === "boolean" ? value : undefined)).optional(),
});

const official = fields("upstream's own image", {
  reference: aFunction,
  whenUpstreamHasPlatform: oneOf("build", "copy", "skip").optional(),
});

const floatingTag = oneOf<FloatingTagRule>("latest", "major", "minor", "sha", "commit");

/** One app file, looked at by itself. Types are checked here because nothing checks them when the program runs. */
export const appSchema = fields("an app", {
  name,
  title: line.optional(),
  description: line.optional(),
  licenses: line.optional(),
  url: webAddress.optional(),
  source,
  tagRule: tagRule.optional(),
  tagStyle: oneOf("version", "upstream").optional(),
  subdirectory: repositoryPath.optional(),
  dockerfile: repositoryPath.optional(),
  ownDockerfile: repositoryPath.optional(),
  target: text("the name of a stage", (value) => (/^[A-Za-z0-9][\w.-]*$/.test(value) ? value : undefined)).optional(),
  buildArguments: aFunction.optional(),
  files: aFunction.optional(),
  bases: accepting("a list of bases", (value) => (Array.isArray(value) ? value : undefined))
    .pipe(z.array(base))
    .optional(),
  platforms: uniqueList("a list of platforms, at least one", platform, { mayBeEmpty: false }).optional(),
  platformsRequired: uniqueList("a list of platforms", platform, { mayBeEmpty: true }).optional(),
  floatingTags: uniqueList("a list of rules", floatingTag, { mayBeEmpty: true }).optional(),
  keep: keepSchema.optional(),
  labels: labels.optional(),
  smoke: smoke.optional(),
  identical: identical.optional(),
  foreign: uniqueList("a list of paths", imagePath, { mayBeEmpty: true }).optional(),
  official: official.optional(),
});

function isArgument(value: unknown): boolean {
  return typeof value === "string" && !value.includes("\0");
}
