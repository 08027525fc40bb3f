import type { LoggedRequest } from "../tools/sandbox/requestLog";
import { alternate } from "./support/alternate";
import type { Benchmark, BenchOptions } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { classicLoop } from "./support/classicLoop";
import { countRequests } from "./support/countRequests";
import { leastProgram } from "./support/leastProgram";
import { regsyncCheck } from "./support/regsyncCheck";
import type { Comparison } from "./support/result";
import { spreadOf } from "./support/spread";
import { stackOf, threeApps } from "./support/threeApps";
import { describeProcessor } from "./support/watchProcessor";
import { Workshop } from "./support/workshop";

const namespace = "p1";

/** As GHCR, Docker Hub and Quay have it: no request without a token, and every client fetches its own. */
const tokens = { mode: "token", user: "bench", password: "bench" } as const;

/** Nothing to do: everything is published, and the question is how long it takes to find that out. */
export const noOp: Benchmark = {
  id: "P1",
  measure: async (workshop, options) => {
    const guarded = await Workshop.open(options.progress, tokens);
    try {
      const withTokens = await compare(guarded, options);
      const open = await compare(workshop, options);
      return [
        ...timesOf("P1", withTokens, "a registry with tokens"),
        ...requestsOf(open),
        ...timesOf("P1 open", open, "a registry without"),
      ];
    } finally {
      await guarded.close();
    }
  },
};

interface Measured {
  /** `no-op of 30 versions × 2 platforms`. */
  readonly work: string;
  readonly images: number;
  readonly times: Readonly<
    Record<"kept" | "lost" | "previewKept" | "previewLost" | "loop" | "regsync" | "empty", readonly number[]>
  >;
  readonly requests: Readonly<Record<"kept" | "lost" | "loop" | "regsync", readonly LoggedRequest[]>>;
  /** Who computed how long, in words. */
  readonly processor: Readonly<Record<"kept" | "lost" | "empty", string>>;
}

async function compare(workshop: Workshop, { latency, rounds, progress, quick }: BenchOptions): Promise<Measured> {
  const three = await threeApps(workshop, "still", { quick, seconds: 0 });
  const kept = await stackOf(workshop, three, namespace);
  await kept.up();
  await checkRegistry(workshop, namespace, three.apps);
  const regsync = await regsyncCheck(workshop, namespace, three.apps);
  const watched = { processor: true };
  const lost = async (run: "up" | "preview"): Promise<number> =>
    (await (await stackOf(workshop, three, namespace))[run]()).seconds;
  const loop = (): Promise<number> => classicLoop(workshop, namespace, three.apps);
  const least = await leastProgram(workshop);
  const contestants = {
    kept: async () => (await kept.up()).seconds,
    lost: () => lost("up"),
    previewKept: async () => (await kept.preview()).seconds,
    previewLost: () => lost("preview"),
    loop,
    regsync,
    empty: async () => (await least.up()).seconds,
  };
  const times = await workshop.delayed(latency, () => alternate(contestants, rounds, progress));
  const requests = {
    kept: await workshop.requests(() => kept.up()),
    lost: await workshop.requests(() => lost("up")),
    loop: await workshop.requests(loop),
    regsync: await workshop.requests(regsync),
  };
  const processor = {
    kept: describeProcessor((await kept.up(watched)).processor),
    lost: describeProcessor((await (await stackOf(workshop, three, namespace)).up(watched)).processor),
    empty: describeProcessor((await least.up(watched)).processor),
  };
  await checkRegistry(workshop, namespace, three.apps);
  const versions = three.apps.flatMap((app) => app.versions).length;
  return { work: `no-op of ${versions} versions × 2 platforms`, images: versions * 2, times, requests, processor };
}

function timesOf(id: string, { work, times, requests, processor }: Measured, registry: string): readonly Comparison[] {
  const median = (samples: readonly number[]): string => `${spreadOf(samples).median.toFixed(2)} s`;
  const against = `one \`docker manifest inspect\` per version, one after the other, ${registry} (${requests.loop.length} requests)`;
  const floor = `of which a Pulumi program that does nothing takes ${median(times.empty)}`;
  const computed = (state: "kept" | "lost"): string =>
    `processor time: ${processor[state]}; of a program that does nothing: ${processor.empty}`;
  const regsync = `\`regsync check\` of the same tags against a copy of them, which knows no upstream releases and no platforms, ${median(times.regsync)} (${requests.regsync.length} requests)`;
  return [
    {
      id: `${id} kept`,
      work: `${work}, state kept (\`pulumi up\`)`,
      against,
      goal: { faster: 5 },
      ours: times.kept,
      other: times.loop,
      notes: [floor, `as a preview ${median(times.previewKept)}`, regsync, computed("kept")],
    },
    {
      id: `${id} lost`,
      work: `${work}, state lost (\`pulumi up\`)`,
      against,
      goal: { faster: 8 },
      ours: times.lost,
      other: times.loop,
      notes: [floor, `as a preview ${median(times.previewLost)}`, computed("lost")],
    },
  ];
}

function requestsOf({ images, requests }: Measured): readonly Comparison[] {
  return (["kept", "lost"] as const).map((state) => ({
    id: `P1 requests ${state}`,
    work: `registry requests of that, state ${state}`,
    against: "2 per version and platform",
    goal: { atMost: 1 },
    unit: "requests",
    ours: [requests[state].length],
    other: [2 * images],
    notes: [countRequests(requests[state])],
  }));
}
