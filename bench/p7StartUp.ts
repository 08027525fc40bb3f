import { alternate } from "./support/alternate";
import type { Benchmark } from "./support/benchOptions";
import type { BenchStack } from "./support/benchStack";
import { leastProgram } from "./support/leastProgram";

/** Seconds. */
const longestSilence = 0.5;

/** Start-up: a preview in which there is nothing to do, by this program without apps and by one that does nothing. */
export const startUp: Benchmark = {
  id: "P7",
  measure: async (workshop, { rounds, progress }) => {
    const ours = await workshop.stack(workshop.program({}), { namespace: "p7", keep: 1 });
    const least = await leastProgram(workshop);
    const preview = async (stack: BenchStack): Promise<number> => (await stack.preview()).seconds;
    // Once each unmeasured: the first run of a copy reads all files from disk.
    await preview(ours);
    await preview(least);
    const contestants = {
      ours: () => preview(ours),
      least: () => preview(least),
      first: async () => (await ours.reconcile(false)).firstLine,
    };
    const times = await alternate(contestants, rounds * 2, progress);
    return [
      {
        id: "P7",
        work: "`pulumi preview` of an empty stack",
        against: "a program that imports only `@pulumi/pulumi`",
        goal: { atMost: 1 },
        ours: times.ours,
        other: times.least,
      },
      {
        id: "P7 first line",
        work: "`reconcile` of an empty stack, to the first line it prints",
        against: "a limit",
        goal: { atMost: 1 },
        ours: times.first,
        other: [longestSilence],
      },
    ];
  },
};
