import type { CopiedVersion } from "./annotatedCopies";

/** A version in the state of a stack: what its resources and its record say about it. */
export interface StateVersion extends CopiedVersion {
  readonly version: string;
  readonly commit: string;
}

/** One app of the stack: the version a real run built, and those that are to look as if runs had built them too. */
export interface GrownApp {
  readonly name: string;
  readonly built: StateVersion;
  readonly more: readonly StateVersion[];
}

interface State {
  readonly deployment: { readonly resources: readonly Resource[] };
}

type Published = Readonly<Record<string, { readonly versions: object }>>;

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly outputs?: { readonly published?: Published };
}

/**
 * Makes the state of a stack that manages thousands of versions out of one that built a single version of each app: every
 * resource of that version, and its entry in the output `published`, once more per version, with digests, commit and number
 * replaced. That it is right shows in a run that changes nothing.
 * @param state as `pulumi stack export` gives it.
 */
export function grownState(state: unknown, apps: readonly GrownApp[]): unknown {
  const { deployment, ...rest } = state as State;
  const resources = deployment.resources.flatMap((resource): readonly Resource[] => {
    const { outputs } = resource;
    if (resource.type === "pulumi:pulumi:Stack" && outputs?.published)
      return [{ ...resource, outputs: { ...outputs, published: grownRecord(outputs.published, apps) } }];
    const app = apps.find(({ name, built }) => isOf(resource.urn, `${name}-${built.version}`));
    return app ? [resource, ...app.more.map((version) => replaced(resource, app.built, version))] : [resource];
  });
  return { ...rest, deployment: { ...deployment, resources: parentsFirst(resources) } };
}

function grownRecord(published: Published, apps: readonly GrownApp[]): Published {
  const entries = Object.entries(published).map(([name, record]) => {
    const app = apps.find((candidate) => candidate.name === name);
    const own = app && (record.versions as Readonly<Record<string, object>>)[app.built.version];
    if (!app || !own) return [name, record] as const;
    const more = app.more.map((version) => [version.version, replaced(own, app.built, version)] as const);
    return [name, { ...record, versions: { ...record.versions, ...Object.fromEntries(more) } }] as const;
  });
  return Object.fromEntries(entries);
}

function isOf(urn: string, name: string): boolean {
  const own = urn.split("::").at(-1) ?? "";
  return own === name || own.startsWith(`${name}-`);
}

function replaced<T>(value: T, from: StateVersion, to: StateVersion): T {
  const pairs = [
    [from.index, to.index],
    [from.commit, to.commit],
    [from.version, to.version],
    ...Object.entries(from.platforms).map(([platform, digest]) => [digest, to.platforms[platform] ?? ""]),
  ];
  const text = pairs.reduce((current, [old = "", young = ""]) => current.replaceAll(old, young), JSON.stringify(value));
  return JSON.parse(text) as T;
}

/** Pulumi wants a parent before its children. */
function parentsFirst<T extends { readonly urn: string }>(resources: readonly T[]): readonly T[] {
  const depth = ({ urn }: T): number => (urn.split("::")[2] ?? "").split("$").length;
  const first = resources.filter(
    ({ urn }) => !urn.includes("multiarch-mirror:index:") && !urn.includes("docker-build:index:"),
  );
  const rest = resources.filter((resource) => !first.includes(resource));
  return [...first, ...rest.toSorted((left, right) => depth(left) - depth(right))];
}
