import { existsSync } from "node:fs";
import { z } from "zod";
import type { AppSpecification, RequiredFile } from "../model/appSpecification";
import { type Release, buildTarget } from "../model/release";
import { isLoopback, parseReference } from "../model/reference";
import type { Platform } from "../model/platform";
import { reasonOf } from "../model/reasonOf";
import { inTime } from "../model/tagRule";
import { check, formatValue } from "./problems";
import { isRecord, text } from "./schemaParts";

const value = z.string("accepted is text").regex(/^[^\0]*$/, "accepted is text without zero bytes");
const buildArguments = z.record(
  z.string().regex(/^[A-Za-z_][\w.-]*$/, "accepted as the name of a build argument are letters, digits and _ . -"),
  value,
);

const address = text("an https address without credentials (http on loopback only)", (written) => {
  const { protocol, username, password, hostname } = new URL(written);
  return (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) && username + password === "";
});
const hex = (digits: number) =>
  text(`${digits} hex digits`, (written) => new RegExp(`^[0-9a-f]{${digits}}$`, "i").test(written)).exactOptional();
const file = z
  .strictObject({
    url: address,
    sha256: hex(64),
    sha512: hex(128),
    sums: z.strictObject({ url: address, algorithm: z.enum(["sha256", "sha512"]) }).exactOptional(),
    checksumArgument: z.string("accepted is the name of a build argument").min(1).exactOptional(),
  })
  .refine((given) => given.checksumArgument === undefined || hasChecksum(given), {
    path: ["checksumArgument"],
    error: "it needs a checksum: give one of sha256, sha512 and sums",
    when: ({ value: given }) => isRecord(given),
  });

const results = {
  buildArguments,
  files: z.array(file, "accepted is a list of files"),
  expect: z.instanceof(RegExp, { error: "accepted is a regular expression" }),
  identicalFile: address,
  official: text("the reference of an image", (written) => Boolean(parseReference(written))),
};

function hasChecksum({ sha256, sha512, sums }: Partial<Record<keyof RequiredFile, unknown>>): boolean {
  return sha256 !== undefined || sha512 !== undefined || sums !== undefined;
}

/** What a function of an app file gave was not accepted, or it gave nothing because it threw. */
class AppFunctionError extends Error {
  override readonly name = "AppFunctionError";

  /**
   * @param place the function and its file: `buildArguments in apps/example.ts`.
   * @param target what it was asked for: version, and platform where it is asked for each.
   */
  constructor(
    readonly place: string,
    readonly target: readonly string[],
    readonly mistakes: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`${place}, for ${target.join(" ")}: ${mistakes.join("; ")}`, options);
  }
}

/**
 * The app with functions that look at what they give, as nothing else checks that when the program runs: each throws an
 * {@link AppFunctionError}, and nothing else.
 */
export function withCheckedFunctions(app: AppSpecification): AppSpecification {
  const guard =
    <Target extends { readonly version: string; readonly platform?: Platform }, Result>(
      name: string,
      call: (target: Target) => Result,
      schema: z.ZodType,
    ) =>
    (target: Target): Result => {
      const { version, platform } = target;
      const refuse = (mistakes: readonly string[], options?: ErrorOptions): AppFunctionError =>
        new AppFunctionError(
          `${name} ${whereOf(app.name)}`,
          platform ? [version, platform] : [version],
          mistakes,
          options,
        );
      let given: Result;
      try {
        given = inTime(name, () => call(target));
      } catch (cause) {
        throw refuse([`it throws ${JSON.stringify(reasonOf(cause))}`], { cause });
      }
      const checked = check(schema, given);
      if (checked.success) return given;
      throw refuse(checked.problems);
    };
  const { buildArguments, files, smoke, identical, official } = app;
  return {
    ...app,
    ...(buildArguments && { buildArguments: guard("buildArguments", buildArguments, results.buildArguments) }),
    ...(files && { files: guard("files", files, results.files) }),
    ...(smoke && { smoke: { ...smoke, expect: guard("smoke.expect", smoke.expect, results.expect) } }),
    ...(identical && {
      identical: { ...identical, file: guard("identical.file", identical.file, results.identicalFile) },
    }),
    ...(official && {
      official: { ...official, reference: guard("official.reference", official.reference, results.official) },
    }),
  };
}

/** The file an app is described in, by the custom that it bears the app's name. */
function whereOf(app: string): string {
  const camelCase = app.replace(/[._-]+(.)/g, (_, letter: string) => letter.toUpperCase());
  const file = [`apps/${app}.ts`, `apps/${camelCase}.ts`].find((path) => existsSync(path));
  return file === undefined ? `of app ${JSON.stringify(app)}` : `in ${file}`;
}

/**
 * Calls every function of an app for one release, and compares what they give with each other.
 * @returns a line for each mistake, naming the platforms it is made for; none when all is well.
 */
export function functionMistakes(
  { buildArguments, files, smoke, identical, official }: AppSpecification,
  release: Release,
  platforms: readonly Platform[],
): readonly string[] {
  const found = new Map<string, string[]>();
  const attempt = (call: () => unknown, platform?: Platform): void => {
    try {
      call();
    } catch (error) {
      const [what, place] =
        error instanceof AppFunctionError ? [error.mistakes.join("; "), error.place] : [reasonOf(error), ""];
      const key = JSON.stringify([place, what]);
      found.set(key, [...(found.get(key) ?? []), ...(platform === undefined ? [] : [platform])]);
    }
  };
  for (const platform of platforms) {
    const target = buildTarget(release, platform);
    attempt(() => buildArguments?.(target), platform);
    attempt(() => files?.(target), platform);
    attempt(() => smoke?.expect(target), platform);
    attempt(() => identical && compared(identical.file(target), files?.(target) ?? []), platform);
  }
  attempt(() => official?.reference(release));
  return [...found].map(([key, names]) => {
    const [place = "", what = ""] = JSON.parse(key) as string[];
    const about = names.length === 0 ? release.version : `${release.version} on ${names.join(", ")}`;
    return `${place === "" ? "" : `${place}, `}for ${about}: ${what}`;
  });
}

/** @throws Error when there is nothing to compare the file of the image with. */
function compared(url: string, files: readonly RequiredFile[]): void {
  const named = files.find((candidate) => candidate.url === url);
  if (named && hasChecksum(named)) return;
  const accepted = "accepted is the address of one of its files that has a checksum (sha256, sha512 or sums)";
  throw new Error(`identical.file is ${formatValue(url)}; ${accepted}`);
}
