import { z } from "zod";
import type { AppSpecification, BuildTarget } from "../model/appSpecification";
import { acceptedRepository, parseRepository } from "../model/source";
import { acceptedPlatforms, parsePlatform, platformSpellings } from "../model/platform";
import { isLoopback } from "../model/reference";
import { withCheckedFunctions } from "./appFunctions";
import { boolean, durationSchema, integer, keepSchema, noSuch, parsedText, uniqueList } from "./schemaParts";

/** Reads a list of platforms, at least one, none of them twice, and brings each into its normal form. */
export const platformsSchema = uniqueList(
  "a list of platforms, at least one",
  z
    .enum(platformSpellings, `accepted is one of ${acceptedPlatforms.join(", ")}`)
    .meta({ id: "platform" })
    .transform(parsePlatform),
  { mayBeEmpty: false },
);

const acceptedVersion = 'accepted is a version or an upstream tag in quotes, such as "1.2.3" or "v1.2"';
const version = z.string(acceptedVersion).regex(/^(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._+@/-]{0,254}$/, acceptedVersion);

const hours: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };

/** A hundred years: whoever means "never" excludes the version or switches the app off. */
const longestAgeHours = 876_000;
const acceptedAge = 'a number of hours, or a whole number with h, d or w, such as "12h" or "3d"';

/** An age in hours. */
const age = z.union(
  [
    integer(0, longestAgeHours, acceptedAge),
    parsedText(acceptedAge, (value) => {
      const [, number, unit = ""] = /^([0-9]{1,5})([hdw])$/.exec(value) ?? [];
      const given = Number(number) * (hours[unit] ?? 1);
      return given <= longestAgeHours ? given : undefined;
    }),
  ],
  `accepted is ${acceptedAge}`,
);

/** What {@link parseFilesFrom} takes, to complete "accepted is …". */
const acceptedFilesFrom =
  "an https address without credentials, query and fragment, such as https://files.example.org/mirror (http only to this machine)";

/** Reads the address of a mirror of release files as the stack configuration writes it, without a slash at the end, or answers undefined. */
export function parseFilesFrom(value: string): string | undefined {
  const trimmed = value.replace(/\/$/, "");
  if (value.length > 2000 || !/^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*$/.test(trimmed)) {
    return undefined;
  }
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  return url && (url.protocol === "https:" || isLoopback(url.hostname)) ? trimmed : undefined;
}

const settings = z
  .strictObject({
    enabled: boolean.prefault(true).describe("Whether the app is mirrored; what it has published stays."),
    keep: keepSchema.exactOptional().describe("How many versions of this app."),
    platforms: platformsSchema.exactOptional().describe("Platforms of this app."),
    repository: parsedText(acceptedRepository, parseRepository)
      .exactOptional()
      .describe("Another upstream repository: on GitHub, or an https URL that ends in .git, without credentials."),
    filesFrom: parsedText(acceptedFilesFrom, parseFilesFrom)
      .exactOptional()
      .describe("Where the app's required files are fetched from instead of their own host."),
    buildLimit: durationSchema.exactOptional().describe("How long the build of one of its images may take."),
    exclude: uniqueList("a list of versions", version, { mayBeEmpty: true })
      .prefault([])
      .describe("Versions that are not mirrored."),
    adopted: boolean
      .exactOptional()
      .describe("Whether images that others published under a wanted tag are taken over."),
    minimumReleaseAge: age.exactOptional().describe("Releases younger than this wait."),
  })
  .meta({ id: "app" })
  .transform(({ enabled, minimumReleaseAge, ...rest }) => {
    const hold = minimumReleaseAge === undefined ? {} : { minimumReleaseAgeHours: minimumReleaseAge };
    return { enabled, overrides: { ...rest, ...hold } };
  });

/** What the stack configuration says about one app, beyond the app's own file. */
export type AppOverrides = Readonly<z.output<typeof settings>["overrides"]>;

/** An app as the stack has it: its own file, with what the stack puts in its place. */
export interface ConfiguredApp {
  readonly specification: AppSpecification;
  readonly overrides: AppOverrides;
}

/** The known apps, each on one of two sides. */
export interface SelectedApps {
  /** The apps to mirror, by name. Pulumi hands a map over in alphabetical order, a list as it was written. */
  readonly apps: ReadonlyMap<string, ConfiguredApp>;
  /** All other apps of this project, by name: one may still be the base of one that is mirrored. */
  readonly unmirrored: ReadonlyMap<string, ConfiguredApp>;
}

/** A schema for the name of a known app. */
export function appNameSchema(apps: readonly AppSpecification[]) {
  const known = apps.map((app) => app.name);
  return z.enum(known, {
    error: ({ input }) =>
      typeof input === "string"
        ? noSuch("app in apps/index.ts", input, known)
        : `accepted is one of ${known.join(", ")}`,
  });
}

/** Reads `apps`: which of the known apps are mirrored, and what differs for each, mirrored or not. */
export function appsSchema(apps: readonly AppSpecification[]) {
  const name = appNameSchema(apps);
  const enabled = (names: readonly string[]): Named => names.map((item) => [item, settings.parse({})]);
  const all = z.literal("all").transform(() => enabled(apps.map((app) => app.name)));
  const listed = uniqueList("a list of app names, at least one", name, { mayBeEmpty: false }).transform(enabled);
  const mapped = z
    // `mattermost:` with nothing behind it is YAML for null, and a natural way to name an app without settings.
    .partialRecord(name, settings.nullable())
    .transform((given): Named => Object.entries(given).map(([key, of]) => [key, of ?? settings.parse({})]))
    .refine((named) => named.some(([, of]) => of.enabled), {
      error: "accepted is a map with at least one app that is enabled",
      // One whose name has a mistake is not among them.
      when: ({ issues }) => issues.length === 0,
    });
  return z
    .union(
      [all, listed, mapped],
      'accepted is "all", a list of app names, or a map from app name to that app\'s settings',
    )
    .transform((named) => selected(apps, named));
}

type Named = readonly (readonly [name: string, settings: z.output<typeof settings>])[];

/** The enabled apps in the order they were named. */
function selected(apps: readonly AppSpecification[], named: Named): SelectedApps {
  const on = named.filter(([, { enabled }]) => enabled);
  const off = apps
    .filter(({ name }) => !on.some(([other]) => other === name))
    .map(({ name }) => named.find(([other]) => other === name) ?? ([name, settings.parse({})] as const));
  return { apps: configured(apps, on), unmirrored: configured(apps, off) };
}

function configured(apps: readonly AppSpecification[], named: Named): ReadonlyMap<string, ConfiguredApp> {
  return new Map(
    named.flatMap(([name, { overrides }]) =>
      apps
        .filter((app) => app.name === name)
        .map((app) => {
          const { filesFrom } = overrides;
          const checked = withCheckedFunctions(app);
          const specification = filesFrom === undefined ? checked : withFilesFrom(checked, filesFrom);
          return [name, { specification, overrides }] as const;
        }),
    ),
  );
}

/**
 * The app with the files upstream publishes taken from a mirror of them: scheme and host of every address are replaced by
 * `base`, path and query stay. Build arguments that hold the address of a required file follow, and so do sum files and
 * the file the image is compared with.
 */
export function withFilesFrom(specification: AppSpecification, base: string): AppSpecification {
  const { files, buildArguments, identical } = specification;
  if (!files) return specification;
  const moved = (address: string): string => {
    const { pathname, search } = new URL(address);
    return `${base}${pathname}${search}`;
  };
  return {
    ...specification,
    files: (target) =>
      files(target).map((file) => ({
        ...file,
        url: moved(file.url),
        ...(file.sums && { sums: { ...file.sums, url: moved(file.sums.url) } }),
      })),
    ...(buildArguments && { buildArguments: follow(buildArguments, files, moved) }),
    ...(identical && { identical: { ...identical, file: (target: BuildTarget) => moved(identical.file(target)) } }),
  };
}

function follow(
  buildArguments: NonNullable<AppSpecification["buildArguments"]>,
  files: NonNullable<AppSpecification["files"]>,
  moved: (address: string) => string,
): NonNullable<AppSpecification["buildArguments"]> {
  return (target) => {
    const addresses = files(target)
      .flatMap(({ url, sums }) => [url, ...(sums ? [sums.url] : [])])
      // The address of a sum file usually begins with that of its file.
      .toSorted((left, right) => right.length - left.length);
    const rewrite = (value: string): string => {
      const address = addresses.find((candidate) => value.includes(candidate));
      return address === undefined ? value : value.split(address).map(rewrite).join(moved(address));
    };
    return Object.fromEntries(Object.entries(buildArguments(target)).map(([name, value]) => [name, rewrite(value)]));
  };
}
