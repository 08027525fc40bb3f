import { alternate } from "./support/alternate";
import { allTargets, bake } from "./support/bake";
import type { Benchmark, BenchOptions } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { countRequests } from "./support/countRequests";
import type { Comparison } from "./support/result";
import { stackOf, threeApps } from "./support/threeApps";
import type { TimedCommand } from "./support/timedCommand";
import { describeProcessor } from "./support/watchProcessor";
import type { Workshop } from "./support/workshop";

const work = { small: 0, usual: 1 };

/** Everything is to be built: what the mirror adds to what BuildKit needs anyway. */
export const coldBuild: Benchmark = {
  id: "P2",
  measure: async (workshop, options) => [
    await compare(workshop, options, "usual"),
    await compare(workshop, { ...options, rounds: 1 }, "small"),
  ],
};

async function compare(workshop: Workshop, options: BenchOptions, size: keyof typeof work): Promise<Comparison> {
  const { latency, quick, rounds, progress } = options;
  const three = await threeApps(workshop, `cold${size}`, { quick, seconds: quick ? work[size] / 10 : work[size] });
  const images = three.apps.flatMap(({ versions }) => versions).length * 2;
  const requests = { ours: "", bake: "" };
  const processor = { ours: "", bake: "" };
  let tries = 0;
  const contestant = (name: "ours" | "bake", publish: (namespace: string) => Promise<TimedCommand>) => async () => {
    const namespace = `p2-${size}-${name}-${(tries += 1)}`;
    await workshop.prune();
    let seconds = 0;
    const log = await workshop.requests(async () => {
      const done = await workshop.delayed(latency, () => publish(namespace));
      seconds = done.seconds;
      processor[name] = describeProcessor(done.processor);
    });
    await checkRegistry(workshop, namespace, three.apps);
    requests[name] = countRequests(log);
    return seconds;
  };
  const times = await alternate(
    {
      bake: contestant("bake", (namespace) => bake(workshop, namespace, allTargets(three.apps))),
      ours: contestant("ours", async (namespace) =>
        (await stackOf(workshop, three, namespace)).up({ processor: true }),
      ),
    },
    rounds,
    progress,
  );
  return {
    id: size === "usual" ? "P2" : "P2 empty",
    work: `cold build and publish of ${images} images${size === "usual" ? ", about a second of work in each" : " without any build step"}`,
    against: "`docker buildx bake` of the same targets on the same BuildKit",
    goal: { atMost: size === "usual" ? 1 : 1.3 },
    ours: times.ours,
    other: times.bake,
    notes: [
      `requests of ours ${requests.ours}`,
      `requests of bake ${requests.bake}`,
      `processor time beside the builder and the registry: ours ${processor.ours}; bake ${processor.bake}`,
    ],
  };
}
