import { alternate } from "./support/alternate";
import { bake } from "./support/bake";
import type { BenchApp } from "./support/benchApp";
import type { Benchmark } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { stackOf, threeApps } from "./support/threeApps";
import { describeProcessor } from "./support/watchProcessor";

const namespace = "p4";

/** One release has come: everything else is found published, and one version is built. */
export const oneVersion: Benchmark = {
  id: "P4",
  measure: async (workshop, { latency, rounds, quick, progress }) => {
    const three = await threeApps(workshop, "grow", { quick, seconds: 0.5 });
    const stack = await stackOf(workshop, three, namespace, { keep: 100 });
    await stack.up();
    await checkRegistry(workshop, namespace, three.apps);
    let [first] = three.apps as [BenchApp];
    let next = three.count;
    let processor = "";
    const released = async (): Promise<string> => {
      const version = `1.${(next += 1)}.0`;
      first = await first.release(workshop, version);
      return version;
    };
    const times = await alternate(
      {
        bake: async () => {
          // Released and published by ours afterwards, so that both always have one version to build.
          const version = await released();
          await workshop.prune();
          const target = { app: first, version: first.versions.at(-1) ?? missing(version) };
          const baked = `${namespace}-bake-${next}`;
          const { seconds } = await workshop.delayed(latency, () => bake(workshop, baked, [target]));
          await checkRegistry(workshop, baked, [{ name: first.name, versions: [target.version] }]);
          await stack.up();
          return seconds;
        },
        ours: async () => {
          await released();
          await workshop.prune();
          const { seconds, processor: used } = await workshop.delayed(latency, () => stack.up({ processor: true }));
          processor = describeProcessor(used);
          return seconds;
        },
      },
      rounds,
      progress,
    );
    await checkRegistry(workshop, namespace, [first, ...three.apps.slice(1)]);
    return [
      {
        id: "P4",
        work: `one new version among ${three.count * 3} published, state kept`,
        against: "`docker buildx bake` of that version alone",
        goal: { within: 3.5 },
        ours: times.ours,
        other: times.bake,
        notes: [`processor time beside the builder and the registry: ${processor}`],
      },
    ];
  },
};

function missing(version: string): never {
  throw new Error(`version ${version} was not released`);
}
