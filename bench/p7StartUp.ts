import { alternate } from "./support/alternate";
import type { Benchmark } from "./support/benchOptions";
import type { BenchStack } from "./support/benchStack";
import { leastProgram } from "./support/leastProgram";

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
    const times = await alternate({ ours: () => preview(ours), least: () => preview(least) }, rounds * 2, progress);
    return [
      {
        id: "P7",
        work: "`pulumi preview` of an empty stack",
        against: "a program that imports only `@pulumi/pulumi`",
        goal: { atMost: 1.5 },
        ours: times.ours,
        other: times.least,
      },
    ];
  },
};
