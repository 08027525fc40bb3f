import { alternate } from "./support/alternate";
import { BenchApp } from "./support/benchApp";
import type { Benchmark } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { appFiles } from "./support/threeApps";

const namespace = "p5";
const seconds = 15;

/** A release whose heavy layer an earlier one already had, on a builder that knows nothing. */
export const sharedLayer: Benchmark = {
  id: "P5",
  measure: async (workshop, { latency, rounds, quick, progress }) => {
    const work = quick ? 1 : seconds;
    let app = await BenchApp.create(workshop, { name: "heavy", versions: ["1.0.0"], seconds: work, shared: true });
    const stack = await workshop.stack(workshop.program(appFiles(workshop, [app])), { namespace, keep: 100 });
    const cache = { on: { type: "registry" }, off: "off" } as const;
    stack.configure({ cache: cache.on });
    await stack.up();
    let next = 0;
    const build = (state: keyof typeof cache) => async (): Promise<number> => {
      app = await app.release(workshop, `1.${(next += 1)}.0`);
      stack.configure({ cache: cache[state] });
      await workshop.prune();
      return (await workshop.delayed(latency, () => stack.up())).seconds;
    };
    const times = await alternate({ with: build("on"), without: build("off") }, Math.min(rounds, 2), progress);
    await checkRegistry(workshop, namespace, [app]);
    return [
      {
        id: "P5",
        work: `next version with the same heavy layer (about ${work} s of work per platform), fresh builder, registry cache`,
        against: "the same without a cache",
        goal: { atMost: 0.25 },
        ours: times.with,
        other: times.without,
      },
    ];
  },
};
