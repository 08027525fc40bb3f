import { buildxCommand } from "../../components/check/smokeRun";
import type { BuildRecipe } from "../../components/decide/appPlan";
import { runProcess } from "../../components/system/process";
import { OciLayout } from "./ociLayout";

/** How one image is built. */
export interface LocalBuild {
  readonly recipe: BuildRecipe;
  readonly builder: string;
  /** Where the image is left. */
  readonly folder: string;
  /** Where an image of another app is that was built before, as a location of buildx. */
  readonly imageOf: (app: string, version: string) => string;
  readonly environment: NodeJS.ProcessEnv;
  /** Hears each line BuildKit prints. */
  readonly onLine: (line: string) => void;
}

/**
 * Builds what a run would build, by buildx itself, into a folder.
 * @throws Error when the build fails; what BuildKit printed says why.
 */
export async function buildImage({
  recipe,
  builder,
  folder,
  imageOf,
  environment,
  onLine,
}: LocalBuild): Promise<OciLayout> {
  const buildx = await buildxCommand(environment);
  const { platform, context, dockerfile, frontend, target, buildArguments, namedContexts, labels } = recipe;
  const option = (name: string, pairs: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(pairs).flatMap(([key, value]) => [name, `${key}=${value}`]);
  const contexts = Object.entries(namedContexts).map(([key, named]): [string, string] => [
    key,
    named.kind === "reference" ? named.location : imageOf(named.app, named.version),
  ]);
  const argv = [
    ...[...buildx.arguments, "build", "--builder", builder, "--platform", platform, "--progress", "plain"],
    ...["--provenance=false", "--sbom=false", "--output", `type=oci,dest=${folder},tar=false`],
    ...option("--build-arg", { ...buildArguments, ...(frontend && { BUILDKIT_SYNTAX: frontend.pinned }) }),
    ...option("--label", labels),
    ...option("--build-context", Object.fromEntries(contexts)),
    ...(target === undefined ? [] : ["--target", target]),
    ...(dockerfile.inline === undefined ? [] : ["--file", "-"]),
    context,
  ];
  const { status } = await runProcess(buildx.command, argv, {
    ...{ environment, limitMs: Infinity, onLine },
    ...(dockerfile.inline !== undefined && { input: dockerfile.inline }),
  });
  if (status !== 0) throw new Error(`the build failed: ${buildx.command} ended with status ${status}`);
  return OciLayout.open(folder);
}
