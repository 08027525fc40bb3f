import type { AppPlan, BuildRecipe, PlannedFloatingTag, PlannedVersion, UnpublishedBase } from "../decide/appPlan";
import type { Digest } from "../model/digest";
import { recorded, writesIndex } from "../decide/versionPlan";
import { type PerPlatform, type Platform, platformEntries, platformsIn } from "../model/platform";
import { resourceNames } from "../model/resourceNames";
import type { StackState } from "../probe/stackState";
import { imageExport } from "../decide/spellings";

/** Where the state is read, and what it says is compared with. */
export interface StateEdges {
  /** Reads the state; asked at most once, and only when it matters. */
  readonly state: () => Promise<StackState>;
  /** Whether a manifest exists, by `name@sha256:…`. Rejects when the registry gives no usable answer. */
  readonly exists: (reference: string) => Promise<boolean>;
}

/**
 * Compares an app's plan with what the state says exists. Pulumi does nothing about a resource whose inputs are those in the state,
 * and it is not asked to refresh: that would read everything twice, and one refused answer would end the whole run. So
 *
 * - an image the registry has lost is marked to be built again,
 * - an index or floating tag to be written knows what its resource was last written from, so that its inputs can differ,
 * - resources of what is gone stay declared as they are, so that no preview shows a delete,
 * - and so do those of a version whose run was killed before it could record it.
 */
export async function alignWithState(plan: AppPlan, edges: StateEdges): Promise<AppPlan> {
  return dependsOnState(plan) ? aligned(plan, await edges.state(), edges) : plan;
}

function dependsOnState({ versions, floatingTags }: AppPlan): boolean {
  return versions.some(versionDepends) || floatingTags.some(({ action }) => action === "create" || action === "move");
}

function versionDepends({ plan, managed, unrecorded, unpublishedBases, keptBases }: PlannedVersion): boolean {
  if (writesIndex(plan) || unpublishedBases.length > 0) return true;
  // Made by others, or by a run that did not live to record it.
  if (!managed) return unrecorded === true && plan.present !== undefined;
  const images = platformsIn(managed.images);
  return (
    plan.state === "gone" ||
    images.some((platform) => !(platform in plan.keep)) ||
    baseImages(managed.baseImages ?? {}).some(([app, platform]) => !keptBases[app]?.[platform])
  );
}

async function aligned(plan: AppPlan, state: StackState, edges: StateEdges): Promise<AppPlan> {
  const { specification, repository } = plan;
  const app = specification.name;
  const floating = (tag: PlannedFloatingTag): PlannedFloatingTag => {
    const written = writtenTo(`${repository}:${tag.tag}`, resourceNames.floatingTag(app, tag.tag), state);
    if (!written) return tag;
    const [source] = written;
    const { managed, current, action } = tag;
    const named = action === "unchanged" && current?.version !== undefined && source !== undefined;
    if (managed || !named) return { ...tag, written };
    return { ...tag, written, managed: { version: current.version, digest: current.digest, source } };
  };
  return {
    ...plan,
    versions: await Promise.all(plan.versions.map((planned) => version(app, repository, planned, state, edges))),
    floatingTags: plan.floatingTags.map(floating),
  };
}

async function version(
  app: string,
  repository: string,
  planned: PlannedVersion,
  state: StackState,
  edges: StateEdges,
): Promise<PlannedVersion> {
  const written = writtenTo(`${repository}:${planned.tag}`, resourceNames.version(app, planned.version), state);
  const exported = async (recipe: BuildRecipe, name: string, pushedTo: string): Promise<BuildRecipe> => {
    const before = state.images.get(name);
    if (!before) return recipe;
    const lost = await isLost(`${pushedTo}@${before.digest}`, edges);
    return { ...recipe, exported: imageExport(before.exported, lost) };
  };
  const own = (recipe: BuildRecipe): Promise<BuildRecipe> =>
    exported(recipe, resourceNames.image(app, planned.version, recipe.platform), repository);
  const base = async (unpublished: UnpublishedBase): Promise<UnpublishedBase> => ({
    ...unpublished,
    recipes: await Promise.all(
      unpublished.recipes.map((recipe) => {
        const name = resourceNames.baseImage(app, planned.version, unpublished.app, recipe.platform);
        return exported(recipe, name, unpublished.repository);
      }),
    ),
  });
  const declared = stillDeclared(app, planned, state, written);
  return {
    ...planned,
    plan: {
      ...planned.plan,
      ...declared,
      keep: { ...(declared.keep ?? planned.plan.keep), ...builtBefore(app, planned, state) },
    },
    keptBases: basesInState(app, planned, state),
    recipes: await Promise.all(planned.recipes.map(own)),
    unpublishedBases: await Promise.all(planned.unpublishedBases.map(base)),
    ...(written && { written }),
  };
}

/** Only a clear "absent" is a loss: after any other answer the image stays what it is, and its check before the tag decides. */
async function isLost(reference: string, { exists }: StateEdges): Promise<boolean> {
  return exists(reference).then(
    (found) => !found,
    () => false,
  );
}

/**
 * The sources an Index was last written from; undefined when that was to another tag. Declared with those, what others keep under
 * this one would be written over.
 */
function writtenTo(tag: string, resource: string, { indexes }: StackState): readonly string[] | undefined {
  const index = indexes.get(resource);
  return index?.tag === tag ? index.sources : undefined;
}

/** The resources of a version that are in the state, less those to be built. */
function stillDeclared(
  app: string,
  planned: PlannedVersion,
  state: StackState,
  written: readonly string[] | undefined,
): Partial<PlannedVersion["plan"]> {
  const { version: name, plan, managed } = planned;
  if (!managed) return madeUnrecorded(app, planned, state, written);
  const images = platformEntries({ ...managed.images, ...plan.keep });
  const keep = Object.fromEntries(
    images.filter(
      ([platform]) => !plan.build.includes(platform) && state.images.has(resourceNames.image(app, name, platform)),
    ),
  );
  const declared = plan.state === "gone" && written !== undefined;
  const sources = managed.sources?.map(recorded);
  return { keep: plan.state === "gone" && !declared ? {} : keep, ...(declared && sources && { sources }) };
}

/** What the state holds of a version nobody recorded, as far as the registry has it: the index, and the images in it. */
function madeUnrecorded(
  app: string,
  { version: name, plan }: PlannedVersion,
  state: StackState,
  written: readonly string[] | undefined,
): Partial<PlannedVersion["plan"]> {
  const published = platformEntries(plan.present?.platforms);
  const keep = published.filter(
    ([platform, digest]) => state.images.get(resourceNames.image(app, name, platform))?.digest === digest,
  );
  return {
    keep: { ...plan.keep, ...Object.fromEntries(keep) },
    ...(plan.sources === undefined && written && { sources: written.map(recorded) }),
  };
}

/** Images a record says were built already, whose resources the state has: they stay declared as they are. */
function builtBefore(app: string, { version: name, records }: PlannedVersion, state: StackState): PerPlatform<Digest> {
  const built = platformEntries(records).flatMap(([platform, { record }]) =>
    state.images.get(resourceNames.image(app, name, platform))?.digest === record.image.digest
      ? [[platform, record.image.digest] as const]
      : [],
  );
  return Object.fromEntries(built);
}

function basesInState(app: string, { version: name, keptBases, managed }: PlannedVersion, state: StackState) {
  const kept: Record<string, Record<Platform, Digest>> = {};
  const all = [...baseImages(managed?.baseImages ?? {}), ...baseImages(keptBases)];
  for (const [base, platform, digest] of all)
    if (state.images.has(resourceNames.baseImage(app, name, base, platform)))
      kept[base] = { ...kept[base], [platform]: digest };
  return kept;
}

function baseImages(bases: PlannedVersion["keptBases"]): readonly (readonly [string, Platform, Digest])[] {
  return Object.entries(bases).flatMap(([app, images]) =>
    platformEntries(images).map(([platform, digest]) => [app, platform, digest] as const),
  );
}
