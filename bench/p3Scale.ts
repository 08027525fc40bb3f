import { Limiter } from "../components/system/limiter";
import { AnnotatedCopies } from "./support/annotatedCopies";
import { alternate } from "./support/alternate";
import { BenchApp, versionNumbers } from "./support/benchApp";
import type { Benchmark, BenchOptions } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { type GrownApp, grownState, type StateVersion } from "./support/grownState";
import type { Comparison } from "./support/result";
import { regsyncCheck } from "./support/regsyncCheck";
import { spreadOf } from "./support/spread";
import { appFiles } from "./support/threeApps";
import type { TimedCommand } from "./support/timedCommand";
import { describeProcessor } from "./support/watchProcessor";
import type { Workshop } from "./support/workshop";

const namespace = "p3";
const names = ["north", "south", "west"];
const watched = { memory: true, processor: true };
const kinds = ["first", "adopted", "managed"] as const;
/** Seconds for the size the goals are about, and for the largest. */
const limitsOf = { first: [4, 9], adopted: [4, 9], managed: [6, 14] };
const told = {
  first: "adopted for the first time, when what images say of themselves has to be read",
  adopted: "adopted",
  managed: "managed",
};
const mostMegabytes = 300;
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
    const memory = new Map<string, readonly number[]>();
    const processor = new Map<string, string>();
    const sample = (name: string, run: () => Promise<TimedCommand>) => async (): Promise<number> => {
      const { seconds, megabytes, output, processor: used } = await run();
      if (/^(begun|released) /m.test(output)) throw new Error(`${name} changed something:\n${output.slice(-3000)}`);
      memory.set(name, [...(memory.get(name) ?? []), megabytes]);
      processor.set(name, describeProcessor(used));
      return seconds;
    };
    const adopted = (size: number, forget?: () => Promise<void>) => async () => {
      await forget?.();
      const stack = await workshop.stack(world.program, { namespace, keep: each(size), floatingTags: false });
      return stack.reconcile(false, watched);
    };
    const stateOf = (stack: string, size: number): unknown => {
      const kept = world.apps.map((app) => ({ ...app, more: app.more.slice(0, each(size) - 1) }));
      return grownState(renamed(world.state, world.stack, stack), kept);
    };
    const managed = async (size: number): Promise<() => Promise<TimedCommand>> => {
      const stack = await workshop.stack(world.program, { namespace, keep: each(size) });
      await stack.importState(stateOf(stack.name, size));
      return () => stack.reconcile(true, watched);
    };
    const contestants: Record<string, () => Promise<number>> = {};
    for (const size of sizes) {
      contestants[`first ${size}`] = sample(
        `first ${size}`,
        adopted(size, () => workshop.forgetImages()),
      );
      contestants[`adopted ${size}`] = sample(`adopted ${size}`, adopted(size));
      contestants[`managed ${size}`] = sample(`managed ${size}`, await managed(size));
    }
    const highest = world.bench.map(({ name, versions }) => ({
      name,
      versions: versions.slice(-each(limited(sizes))),
    }));
    contestants["regsync"] = await regsyncCheck(workshop, namespace, highest);
    const times = await workshop.delayed(latency, () => alternate(contestants, Math.ceil(rounds / 2), progress));
    await checkRegistry(
      workshop,
      namespace,
      world.bench.map(({ name, versions }) => ({ name, versions: versions.slice(-2) })),
    );
    return comparisonsOf(sizes, times, { memory, processor });
  },
};

/** Each kind against its limits, and the thousand against another program. */
function comparisonsOf(
  sizes: readonly number[],
  times: Readonly<Record<string, readonly number[]>>,
  {
    memory,
    processor,
  }: { readonly memory: ReadonlyMap<string, readonly number[]>; readonly processor: ReadonlyMap<string, string> },
): readonly Comparison[] {
  const thousand = limited(sizes);
  const largest = sizes.at(-1) ?? 0;
  const limits = kinds.flatMap((kind) =>
    [thousand, largest].map((size, position): Comparison => ({
      id: `P3 ${kind} ${size}`,
      work: `no-op of ${size} versions (${2 * size} images), ${told[kind]} (\`npm run reconcile\`)`,
      against: "a limit",
      goal: { atMost: 1 },
      ours: times[`${kind} ${size}`] ?? [],
      other: [limitsOf[kind][position] ?? 0],
      notes:
        position === 0 ? [growth(kind, sizes, times), `processor time: ${processor.get(`${kind} ${size}`) ?? ""}`] : [],
    })),
  );
  return [
    ...limits,
    {
      id: "P3 memory",
      work: `most memory in the no-op of ${largest} adopted versions`,
      against: "a limit",
      goal: { atMost: 1 },
      unit: "MB",
      ours: memory.get(`adopted ${largest}`) ?? [],
      other: [mostMegabytes],
    },
    {
      id: "P3 regsync",
      work: `finding out that of ${thousand} versions nothing is missing`,
      against:
        "`regsync check` of the same tags against a copy of them, which knows no upstream releases and no platforms",
      goal: { atMost: 1 },
      ours: times[`adopted ${thousand}`] ?? [],
      other: times["regsync"] ?? [],
    },
  ];
}

/** How the time grows, and what ten thousand versions would take if it went on so. */
function growth(kind: string, sizes: readonly number[], times: Readonly<Record<string, readonly number[]>>): string {
  const at = (size = 0): number => spreadOf(times[`${kind} ${size}`] ?? []).median;
  const [before, last] = sizes.slice(-2) as [number, number];
  const slope = (at(last) - at(before)) / (last - before);
  const all = sizes.map((size) => `${size}: ${at(size).toFixed(1)} s`).join(", ");
  const projected = at(last) + slope * (10_000 - last);
  return `${all}; by the slope of the last two, ${(1000 * slope).toFixed(1)} ms a version, 10,000 would take ${projected.toFixed(0)} s`;
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
