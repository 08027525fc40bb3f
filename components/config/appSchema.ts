import { z } from "zod";
import { acceptedPlatforms, parsePlatform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import { parseReference } from "../model/reference";
import { acceptedRepositoryPath, isRepositoryPath, resolveSource } from "../model/source";
import { acceptedTagRule, tagRuleMistake } from "../model/tagRule";
import { boolean, keepSchema, text, uniqueList } from "./schemaParts";

const longestText = 1000;

/** For people, but on its way into labels: one line. */
const line = text(
  `one line of at most ${longestText} characters`,
  (value) => value !== "" && value.length <= longestText && !/[\x00-\x1f\x7f]/.test(value),
);

const webAddress = text(
  "an http or https address",
  (value) => /^https?:\/\//.test(value) && URL.canParse(value) && !/[\s\x00-\x1f\x7f]/.test(value),
);

const repositoryPath = text(acceptedRepositoryPath, isRepositoryPath);

const imagePath = text(
  'an absolute path in the image, without ".." and "//"',
  (value) => value.startsWith("/") && isRepositoryPath(value.slice(1)),
);

const aFunction = z.custom((value) => typeof value === "function", "accepted is a function");

/** Written in its normal form, because it is compared as it is. */
const platform = text(`one of ${acceptedPlatforms.join(", ")}`, (value) => parsePlatform(value) === value);

/** A name that is part of image references and resource names. */
const name = text(
  "a name in lower case: parts of a-z 0-9, joined by single . _ or -, at most 128 characters",
  (value) => value.length <= 128 && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(value),
);

const tagRule = z.unknown().superRefine((value, context) => {
  const mistake = value instanceof RegExp ? tagRuleMistake(value) : "it is not a regular expression";
  if (mistake !== undefined)
    context.addIssue({ code: "custom", message: `${mistake}; accepted is ${acceptedTagRule}` });
});

const url = z.string("accepted is a git URL");

/** The grammar of each kind is the one it is read with later. */
const source = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("githubReleases"), repository: url }),
    z.strictObject({ kind: z.literal("gitlabReleases"), url }),
    z.strictObject({ kind: z.literal("giteaReleases"), url }),
    z.strictObject({ kind: z.literal("gitTags"), url }),
    z.strictObject({ kind: z.literal("gitBranch"), url, branch: url }),
    z.strictObject({ kind: z.literal("registryTags"), image: line, url }),
    z.strictObject({ kind: z.literal("npm"), registry: line, package: line, url }),
    z.strictObject({ kind: z.literal("pypi"), registry: line, package: line, url }),
  ])
  .superRefine((value, context) => {
    try {
      resolveSource(value);
    } catch (error) {
      context.addIssue({ code: "custom", message: reasonOf(error) });
    }
  });

const perPlatform = z.union(
  [repositoryPath, z.record(platform, repositoryPath).refine((paths) => Object.keys(paths).length > 0)],
  `accepted is ${acceptedRepositoryPath}, or a map from platform to such a path`,
);

const argumentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "accepted as a build argument are letters, digits and _");

const argumentSource = z.strictObject({
  path: repositoryPath,
  pattern: z
    .custom<RegExp>(
      (value) => value instanceof RegExp && new RegExp(`${value.source}|`, value.flags).exec("")?.length === 2,
      "accepted is a regular expression with one capture, the value",
    )
    .optional(),
});

const label = z.string().regex(/^[a-z0-9][a-z0-9._/-]{0,127}$/i);

const base = z.strictObject({
  context: text("the reference after FROM, or a name of your own", (value) => Boolean(parseReference(value))),
  app: name,
});

const imageName = text("the name of an image, without tag and digest", (value) => {
  const { tag, digest } = parseReference(value);
  return tag === undefined && digest === undefined;
});

const smoke = z.strictObject({
  command: z.custom(isCommand, "accepted is a list of texts, the first one the program"),
  expect: aFunction,
  limitSeconds: z.int("accepted is a whole number of seconds").min(1).max(86_400).optional(),
});

const identical = z.strictObject({ path: imagePath, file: aFunction, replaces: boolean.optional() });

const official = z.strictObject({
  reference: aFunction,
  whenUpstreamHasPlatform: z.enum(["build", "copy", "skip"]).optional(),
});

const floatingTag = z.enum(["latest", "major", "minor", "sha", "commit"]);

/** One app file, looked at by itself. Types are checked here because nothing checks them when the program runs. */
export const appSchema = z.strictObject({
  name,
  title: line.optional(),
  description: line.optional(),
  licenses: line.optional(),
  url: webAddress.optional(),
  reason: line.optional(),
  source,
  tagRule: tagRule.optional(),
  tagStyle: z.enum(["version", "upstream"]).optional(),
  subdirectory: repositoryPath.optional(),
  dockerfile: perPlatform.optional(),
  ownDockerfile: perPlatform.optional(),
  target: text("the name of a stage", (value) => /^[A-Za-z0-9][\w.-]*$/.test(value)).optional(),
  buildArguments: aFunction.optional(),
  argumentsFromFiles: z.record(argumentName, argumentSource).optional(),
  files: aFunction.optional(),
  bases: z.array(base, "accepted is a list of bases").optional(),
  privateBases: uniqueList("a list of image names", imageName, { mayBeEmpty: true }).optional(),
  frontends: uniqueList("a list of image names", imageName, { mayBeEmpty: true }).optional(),
  platforms: uniqueList("a list of platforms, at least one", platform, { mayBeEmpty: false }).optional(),
  platformsRequired: uniqueList("a list of platforms", platform, { mayBeEmpty: true }).optional(),
  floatingTags: uniqueList("a list of rules", floatingTag, { mayBeEmpty: true }).optional(),
  keep: keepSchema.optional(),
  labels: z.record(label, line, "accepted is a map from label (letters, digits and . _ / -) to text").optional(),
  smoke: smoke.optional(),
  identical: identical.optional(),
  foreign: uniqueList("a list of paths", imagePath, { mayBeEmpty: true }).optional(),
  official: official.optional(),
});

function isCommand(value: unknown): boolean {
  const isArgument = (item: unknown) => typeof item === "string" && !item.includes("\0");
  return Array.isArray(value) && value.length > 0 && value.every(isArgument) && value[0] !== "";
}
