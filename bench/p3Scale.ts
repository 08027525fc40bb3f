import { Limiter } from "../components/system/limiter";
import { AnnotatedCopies } from "./support/annotatedCopies";
import { alternate } from "./support/alternate";
import { BenchApp, versionNumbers } from "./support/benchApp";
import type { Benchmark, BenchOptions } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { declaringProgram } from "./support/declaringProgram";
import { type GrownApp, grownState, type StateVersion } from "./support/grownState";
import type { Comparison } from "./support/result";
import { spreadOf } from "./support/spread";
import { appFiles } from "./support/threeApps";
import type { TimedCommand } from "./support/timedCommand";
import { describeProcessor } from "./support/watchProcessor";
import type { Workshop } from "./support/workshop";

const namespace = "p3";
const names = ["north", "south", "west"];
const watched = { memory: true, processor: true };
const goals = { adopted: 10, managed: 20 };
/** The size the goals are about: a thousand, in a quick run fewer. */
const limited = (sizes: readonly number[]): number => sizes.at(-2) ?? 0;

/** How the time of a run in which nothing is to be done grows with the number of published versions. */
export const scale: Benchmark = {
  id: "P3",
  measure: async (workshop, options) => {
    const { quick, latency, rounds, progress } = options;
    // Versions in all; each app has a third of them.
    const sizes = quick ? [6, 12, 24] : [30, 300, 1000, 3000];
    const each = (size: number): number => Math.ceil(size / names.length);
    const world = await publish(workshop, each(sizes.at(-1) ?? 0), options);
    const memory: string[] = [];
    const processor = new Map<string, string>();
    const sample = (name: string, run: () => Promise<TimedCommand>) => async (): Promise<number> => {
      const { seconds, megabytes, output, processor: used } = await run();
      if (/docker-build:index:\w+ \S+ (creat|updat|delet|replac)/.test(output))
        throw new Error(`${name} changed something:\n${output.slice(-3000)}`);
      memory.push(`${name} ${megabytes} MB`);
      processor.set(name, describeProcessor(used));
      return seconds;
    };
    const adopted = (size: number) => async () => {
      const stack = await workshop.stack(world.program, { namespace, keep: each(size), floatingTags: false });
      return stack.up(watched);
    };
    const stateOf = (stack: string, size: number): unknown => {
      const kept = world.apps.map((app) => ({ ...app, more: app.more.slice(0, each(size) - 1) }));
      return grownState(renamed(world.state, world.stack, stack), kept);
    };
    const managed = async (size: number): Promise<() => Promise<TimedCommand>> => {
      const stack = await workshop.stack(world.program, { namespace, keep: each(size) });
      await stack.importState(stateOf(stack.name, size));
      return () => stack.up(watched);
    };
    const contestants: Record<string, () => Promise<number>> = {};
    for (const size of sizes) {
      contestants[`adopted ${size}`] = sample(`adopted ${size}`, adopted(size));
      contestants[`managed ${size}`] = sample(`managed ${size}`, await managed(size));
    }
    const thousand = limited(sizes);
    const declaring = await declaringProgram(workshop, (stack) => stateOf(stack, thousand));
    contestants["declaring"] = sample("declaring", () => declaring.up(watched));
    const times = await workshop.delayed(latency, () => alternate(contestants, Math.ceil(rounds / 2), progress));
    await checkRegistry(
      workshop,
      namespace,
      world.bench.map(({ name, versions }) => ({ name, versions: versions.slice(-2) })),
    );
    return comparisonsOf(sizes, times, { memory, processor });
  },
};

/** Each kind against its limit, and its growth from the second size to the largest. */
function comparisonsOf(
  sizes: readonly number[],
  times: Readonly<Record<string, readonly number[]>>,
  { memory, processor }: { readonly memory: readonly string[]; readonly processor: ReadonlyMap<string, string> },
): readonly Comparison[] {
  const thousand = limited(sizes);
  const largest = sizes.at(-1) ?? 0;
  const smaller = sizes[1] ?? 0;
  const alone = `a program that declares the same resources and asks no registry and no upstream takes ${spreadOf(times["declaring"] ?? []).median.toFixed(1)} s (${processor.get("declaring") ?? ""})`;
  return (["adopted", "managed"] as const).flatMap((kind) => {
    const at = (size: number): readonly number[] => times[`${kind} ${size}`] ?? [];
    const all = sizes.map((size) => `${size}: ${spreadOf(at(size)).median.toFixed(1)} s`).join(", ");
    return [
      {
        id: `P3 ${kind} limit`,
        work: `no-op of ${thousand} versions (${2 * thousand} images), ${kind} (\`pulumi up\`)`,
        against: "a limit",
        goal: { atMost: 1 },
        ours: at(thousand),
        other: [goals[kind]],
        notes: [
          memory.filter((line) => line.startsWith(kind)).join(", "),
          `processor time: ${processor.get(`${kind} ${thousand}`) ?? ""}`,
          ...(kind === "managed" ? [alone] : []),
        ],
      },
      {
        id: `P3 ${kind} growth`,
        work: `no-op of ${largest} versions, ${kind}`,
        against: `${largest / smaller} times that of ${smaller} versions`,
        goal: { atMost: 1 },
        ours: at(largest),
        other: at(smaller).map((seconds) => (seconds * largest) / smaller),
        notes: [all],
      },
    ];
  });
}

interface World {
  readonly program: string;
  /** State after a real run that built the highest version of each app. */
  readonly state: unknown;
  readonly stack: string;
  readonly apps: readonly GrownApp[];
  readonly bench: readonly BenchApp[];
}

/** Builds the highest version of each app in a real run, and publishes copies of it as all the others. */
async function publish(workshop: Workshop, count: number, { progress }: BenchOptions): Promise<World> {
  const bench = await Promise.all(
    names.map((name) => BenchApp.create(workshop, { name, versions: versionNumbers(count), seconds: 0, bytes: 1024 })),
  );
  const program = workshop.program(appFiles(workshop, bench));
  const stack = await workshop.stack(program, { namespace, keep: 1 });
  await stack.up();
  const published = await stack.published();
  progress(`publishing ${count * names.length} versions`);
  const limiter = new Limiter(16);
  const apps = await Promise.all(
    bench.map(async ({ name, versions }): Promise<GrownApp> => {
      const highest = versions.at(-1) ?? { version: "", commit: "" };
      const record = published[name]?.versions[highest.version];
      if (!record) throw new Error(`${name} ${highest.version} was not published`);
      const copies = await AnnotatedCopies.of(workshop.registry(namespace).name(name), highest.version);
      const others = versions.slice(0, -1).toReversed();
      const more = others.map(({ version, commit }) =>
        limiter.run(async (): Promise<StateVersion> => ({
          version,
          commit,
          ...(await copies.publish(version, version)),
        })),
      );
      const built = {
        version: highest.version,
        commit: highest.commit,
        index: record.digest,
        platforms: record.platforms,
      };
      return { name, built, more: await Promise.all(more) };
    }),
  );
  return { program, state: await stack.exportState(), stack: stack.name, apps, bench };
}

/** A state names its stack in every URN. */
function renamed(state: unknown, from: string, to: string): unknown {
  const text = JSON.stringify(state).replaceAll(`urn:pulumi:${from}::`, `urn:pulumi:${to}::`);
  return JSON.parse(text.replaceAll(`multiarch-mirror-${from}"`, `multiarch-mirror-${to}"`));
}
