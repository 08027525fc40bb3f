import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkBeforeTag, describeCheck } from "../../components/check/checkBeforeTag";
import { inspectImage } from "../../components/check/inspectImage";
import { functionMistakes } from "../../components/config/appFunctions";
import { type AppSettings, appSettings } from "../../components/config/appSettings";
import type { ConfiguredApp } from "../../components/config/appsSchema";
import { type Configuration, configure } from "../../components/config/configuration";
import { builderFor } from "../../components/config/mirrorConfig";
import { noSuch } from "../../components/config/schemaParts";
import type { BuildRecipe } from "../../components/decide/appPlan";
import { selectWindow } from "../../components/decide/window";
import { plainEdges } from "../../components/discover/upstreamEdges";
import type { AppSpecification } from "../../components/model/appSpecification";
import { type Release, buildTarget } from "../../components/model/release";
import type { Platform } from "../../components/model/platform";
import { reasonOf } from "../../components/model/reasonOf";
import { safeText } from "../../components/model/safeText";
import { openEdges } from "../../components/wiring/openEdges";
import type { PlanEdges } from "../../components/plan/planEdges";
import { printedLine } from "../reconcile/buildLog";
import { readStackConfig } from "../reconcile/stackConfig";
import { UsageError } from "../reconcile/usageError";
import type { Voice } from "../reconcile/voice";
import { buildImage } from "./buildImage";
import type { OciLayout } from "./ociLayout";
import type { TryRequest } from "./tryRequest";

/** The image could not be built, or must not get a tag. */
class TryFailure extends Error {
  override readonly name = "TryFailure";
}

/** What trying needs besides the request. The current folder is the project's. */
export interface TryContext {
  readonly apps: readonly AppSpecification[];
  readonly environment: NodeJS.ProcessEnv;
  readonly voice: Voice;
}

/**
 * Builds one image as a run would, checks it as before its version gets a tag, and says what went into it. Nothing is published.
 * @throws TryFailure saying why there is no such image; UsageError; ConfigError for mistakes in app files and configuration.
 */
export async function tryApp(request: TryRequest, context: TryContext): Promise<void> {
  const started = performance.now();
  const { config, edges } = await open(request, context);
  const { specification } = namedApp(request, config);
  const settings = appSettings(config, specification);
  const platform = platformOf(request, settings);
  const release = await orFail(() => releaseOf(request, specification, settings, edges));
  const recipes = await orFail(() => prepared(specification, settings, release, platform, edges));
  const { voice } = context;
  const title = `${specification.name} ${release.version} for ${platform}`;
  const recipe = recipes.own;
  voice.text(
    [title, ...about(release, recipe).map((line) => `  ${line}`), ...recipes.warnings.map((line) => `  note: ${line}`)]
      .map((line) => safeText(line, 2000))
      .join("\n"),
  );

  const folder = await mkdtemp(join(tmpdir(), "multiarch-mirror-try-"));
  try {
    const builder = request.builder ?? builderFor(config.builder, platform);
    const built = new Map<string, OciLayout>();
    const build = async (one: BuildRecipe, into: string): Promise<OciLayout> => {
      await mkdir(into, { recursive: true });
      const imageOf = (name: string, version: string): string => locationOf(built.get(`${name} ${version}`));
      const onLine = (line: string): void => voice.text(`  | ${printedLine(line)}`);
      return buildImage({ recipe: one, builder, folder: into, imageOf, onLine, environment: context.environment });
    };
    const image = await orFail(async () => {
      for (const [position, base] of recipes.bases.entries())
        built.set(`${base.app} ${base.version}`, await build(base.recipe, join(folder, `base-${position}`)));
      return build(recipe, request.output ?? join(folder, "image"));
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const reference = `localhost/${specification.name}@${image.image.digest}`;
    const asked = { reference, platform, specification, planned: { version: release.version, release }, recipe };
    const report = await orFail(() =>
      checkBeforeTag(asked, (subject) => inspectImage(subject, image), builder, image.folder),
    );
    voice.text(
      [
        `built in ${seconds} s: ${image.image.digest}, ${((await image.size()) / 1_000_000).toFixed(1)} MB`,
        `checked: ${describeCheck(asked, report)}`,
        ...(report.smoke ? [`it printed ${JSON.stringify(report.smoke.output.slice(0, 500))}`] : []),
        ...(request.output === undefined ? [] : [`the image is in ${request.output}`]),
        "Nothing was published.",
      ].join("\n"),
    );
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async function orFail<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new TryFailure(`${request.app}: ${reasonOf(error)}`, { cause: error });
    }
  }
}

function namedApp({ app }: TryRequest, { apps, unmirrored }: Configuration): ConfiguredApp {
  const known = new Map([...apps, ...unmirrored]);
  const found = known.get(app);
  if (found) return found;
  throw new UsageError(`${JSON.stringify(app)}: ${noSuch("app", app, [...known.keys()].toSorted())}`);
}

/** The stack's settings, less signing: nothing is signed here, and an identity to sign with may not be at hand. */
async function open(
  { stack }: TryRequest,
  { apps, environment, voice }: TryContext,
): Promise<{ readonly config: Configuration; readonly edges: PlanEdges }> {
  const file = `Pulumi.${stack}.yaml`;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError(`--stack ${stack}: ${file} cannot be read`, { cause });
  });
  const { own, github, sealed } = readStackConfig(await readFile("Pulumi.yaml", "utf8"), text);
  if (sealed.length > 0)
    throw new UsageError(`only Pulumi can read ${sealed.join(", ")} of ${file}; use another --stack`);
  const host = {
    stackConfig: { ...own, attest: "off" },
    ...{ environment, stack, dryRun: true, upstream: plainEdges(github, environment) },
    outputs: async () => ({}),
    state: () => Promise.reject(new Error("there is no state")),
    mayWrite: undefined,
    beforeBuild: async () => undefined,
    warn: async (warning: string) => voice.text(`warning: ${warning}`),
  };
  const config = configure(apps, host);
  return { config, edges: openEdges(config, host).plan(async () => undefined) };
}

const machines: Readonly<Record<string, Platform>> = { x64: "linux/amd64", arm64: "linux/arm64" };

function platformOf({ platform }: TryRequest, { platforms }: AppSettings): Platform {
  const own = machines[process.arch];
  return platform ?? platforms.find((candidate) => candidate === own) ?? platforms[0] ?? "linux/amd64";
}

/** The version asked for, or the highest of those a run would keep. */
async function releaseOf(
  { version }: TryRequest,
  specification: AppSpecification,
  settings: AppSettings,
  edges: PlanEdges,
): Promise<Release> {
  const { releases } = await edges.discover(specification, settings);
  const [highest] = selectWindow(releases, { ...settings, now: edges.now }).releases;
  const found =
    version === undefined ? highest : releases.find((one) => one.version === version || one.tag === version);
  if (found) return found;
  const some = releases.slice(0, 10).map((one) => one.version);
  if (version === undefined) throw new Error(`none of its versions is to be kept; the highest are ${some.join(", ")}`);
  throw new UsageError(`${JSON.stringify(version)}: there is no such version; the highest are ${some.join(", ")}`);
}

interface Prepared {
  readonly own: BuildRecipe;
  /** What has to be built before it, in order. */
  readonly bases: readonly { readonly app: string; readonly version: string; readonly recipe: BuildRecipe }[];
  readonly warnings: readonly string[];
}

async function prepared(
  specification: AppSpecification,
  settings: AppSettings,
  release: Release,
  platform: Platform,
  edges: PlanEdges,
): Promise<Prepared> {
  const mistakes = functionMistakes(specification, release, [platform]);
  if (mistakes.length > 0) throw new Error(mistakes.join("; "));
  const offer = await edges.offer(specification, buildTarget(release, platform));
  if (offer.state !== "offered")
    throw new Error(`upstream does not offer what ${platform} is built from: ${offer.reason}`);
  const { recipes, unpublishedBases, warnings } = await edges.prepare({
    ...{ specification, settings, release },
    platforms: [platform],
  });
  const [own] = recipes;
  if (!own) throw new Error(`there is nothing to build for ${platform}`);
  const bases = unpublishedBases.flatMap(({ app, version, recipes: each }) =>
    each.map((recipe) => ({ app, version, recipe })),
  );
  return { own, bases, warnings };
}

function locationOf(layout: OciLayout | undefined): string {
  if (layout) return `oci-layout://${layout.folder}@${layout.image.digest}`;
  throw new Error("the image of a base was not built before the one that needs it");
}

/** What goes into the image, a line each. */
function about(release: Release, recipe: BuildRecipe): readonly string[] {
  const { dockerfile, target, bases, namedContexts, buildArguments, fileChecksums, labels } = recipe;
  const own = Object.entries(namedContexts).flatMap(([key, named]) =>
    named.kind === "image" ? [`base ${key}: ${named.app} ${named.version}, built here`] : [],
  );
  return [
    `source: ${release.reference} ${release.tag}, commit ${release.commit}`,
    `Dockerfile: ${dockerfile.path}, sha256 ${dockerfile.sha256}${target === undefined ? "" : `, stage ${target}`}`,
    ...bases.map(
      ({ reference, pinned, final }) => `base ${reference}: ${pinned}${final ? " (what the image stands on)" : ""}`,
    ),
    ...own,
    ...Object.entries(buildArguments).map(([name, value]) => `argument ${name}=${value}`),
    ...Object.entries(fileChecksums).map(([url, digest]) => `file ${url}: ${digest}`),
    ...Object.entries(labels).map(([name, value]) => `label ${name}=${value}`),
  ];
}
