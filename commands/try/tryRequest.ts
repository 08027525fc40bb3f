import { resolve } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { check } from "../../components/config/problems";
import { acceptedPlatforms, parsePlatform, type Platform, platformSpellings } from "../../components/model/platform";

/** What one `npm run try` is asked to do. */
export interface TryRequest {
  readonly app: string;
  /** A version, or upstream's tag; undefined: the highest. */
  readonly version?: string;
  /** Undefined: this machine's own, where the app has it. */
  readonly platform?: Platform;
  readonly stack: string;
  /** Undefined: the stack's for the platform. */
  readonly builder?: string;
  /** Folder the image is left in, absolute; undefined: nowhere. */
  readonly output?: string;
  /** Folder of the project, absolute. */
  readonly project: string;
}

const platform = z.enum(platformSpellings, `accepted are ${acceptedPlatforms.join(", ")}`).transform(parsePlatform);
const builder = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]*$/, "accepted is a buildx builder's name");
const stack = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "accepted is the NAME of a Pulumi.NAME.yaml");
const schema = z.object({
  "--platform": platform.exactOptional(),
  "--stack": stack.default("prod"),
  "--builder": builder.exactOptional(),
  "--output": z.string().min(1).exactOptional(),
  "--project": z.string(),
});

const help = `
Nothing is published: the image is built for one platform and checked as before
its version gets a tag. Upstream and the bases are read as the stack has them;
the app need not be among its apps.

  npm run try -- example                        the highest version, for this
                                                machine's platform
  npm run try -- example@1.2.3 --platform linux/arm64
  npm run try -- example --output /tmp/example  leaves the image there, as an
                                                OCI layout`;

/** @throws CommanderError after printing help, or a line for every mistake; its \`exitCode\` is 0 for help. */
export function readTryRequest(argv: readonly string[], root: string): TryRequest {
  const program = new Command("try")
    .description("Builds, checks and shows one image of an app.")
    .argument("<app>", "name of the app, and @version where it is not the highest")
    .option("--platform <platform>", "platform to build for (default: this machine's own, where the app has it)")
    .option("--stack <name>", "stack whose settings hold (default: prod)")
    .option("--builder <name>", "buildx builder (default: the stack's)")
    .option("--output <folder>", "leave the image here, as an OCI layout")
    .option("--project <folder>", "folder of the project", root)
    .addHelpText("after", help)
    .exitOverride();
  program.parse(argv, { from: "user" });
  const given = Object.entries(program.opts()).map(([name, value]) => [`--${name}`, value as unknown] as const);
  const result = check(schema, Object.fromEntries(given));
  if (!result.success) return program.error(result.problems.map((line) => `error: ${line}`).join("\n"));
  const {
    "--output": output,
    "--platform": wanted,
    "--builder": own,
    "--stack": of,
    "--project": project,
  } = result.value;
  const [, app = "", version] = /^([^@]*)(?:@(.*))?$/s.exec(program.args[0] ?? "") ?? [];
  return {
    ...{ app, stack: of, project: resolve(project) },
    ...(version && { version }),
    ...(wanted && { platform: wanted }),
    ...(own !== undefined && { builder: own }),
    ...(output !== undefined && { output: resolve(output) }),
  };
}
