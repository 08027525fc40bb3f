import type { LoggedRequest } from "../tools/sandbox/requestLog";
import { alternate } from "./support/alternate";
import type { Benchmark, BenchOptions } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { classicLoop } from "./support/classicLoop";
import { countRequests } from "./support/countRequests";
import type { BenchStack } from "./support/benchStack";
import { regsyncCheck } from "./support/regsyncCheck";
import type { Comparison } from "./support/result";
import { spreadOf } from "./support/spread";
import { stackOf, threeApps } from "./support/threeApps";
import { describeProcessor } from "./support/watchProcessor";
import { Workshop } from "./support/workshop";

const namespace = "p1";
/** To find out about 30 versions of two platforms each. */
const mostRequests = 100;

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
  readonly times: Readonly<Record<"kept" | "lost" | "upKept" | "upLost" | "loop" | "regsync", readonly number[]>>;
  readonly requests: Readonly<Record<"kept" | "lost" | "loop" | "regsync", readonly LoggedRequest[]>>;
  /** Who computed how long, in words. */
  readonly processor: Readonly<Record<"kept" | "lost", string>>;
}

async function compare(workshop: Workshop, { latency, rounds, progress, quick }: BenchOptions): Promise<Measured> {
  const three = await threeApps(workshop, "still", { quick, seconds: 0 });
  const kept = await stackOf(workshop, three, namespace);
  // The first run publishes, the second finds nothing to do and records so: what is measured is any run after them.
  await kept.reconcile(true);
  await kept.reconcile(true);
  await checkRegistry(workshop, namespace, three.apps);
  const regsync = await regsyncCheck(workshop, namespace, three.apps);
  const watched = { processor: true };
  const fresh = (): Promise<BenchStack> => stackOf(workshop, three, namespace);
  const never = await fresh();
  const loop = (): Promise<number> => classicLoop(workshop, namespace, three.apps);
  const contestants = {
    kept: async () => (await kept.reconcile(true)).seconds,
    lost: async () => (await never.reconcile(false)).seconds,
    upKept: async () => (await kept.up()).seconds,
    upLost: async () => (await (await fresh()).up()).seconds,
    loop,
    regsync,
  };
  const times = await workshop.delayed(latency, () => alternate(contestants, rounds, progress));
  const requests = {
    kept: await workshop.requests(() => kept.reconcile(true)),
    lost: await workshop.requests(() => never.reconcile(false)),
    loop: await workshop.requests(loop),
    regsync: await workshop.requests(regsync),
  };
  const processor = {
    kept: describeProcessor((await kept.reconcile(true, watched)).processor),
    lost: describeProcessor((await never.reconcile(false, watched)).processor),
  };
  await checkRegistry(workshop, namespace, three.apps);
  const versions = three.apps.flatMap((app) => app.versions).length;
  return { work: `no-op of ${versions} versions × 2 platforms`, times, requests, processor };
}

function timesOf(id: string, { work, times, requests, processor }: Measured, registry: string): readonly Comparison[] {
  const median = (samples: readonly number[]): string => `${spreadOf(samples).median.toFixed(2)} s`;
  const against = `one \`docker manifest inspect\` per version, one after the other, ${registry} (${requests.loop.length} requests)`;
  const regsync = `\`regsync check\` of the same tags against a copy of them, which knows no upstream releases and no platforms, ${median(times.regsync)} (${requests.regsync.length} requests)`;
  return [
    {
      id: `${id} kept`,
      work: `${work}, state kept (\`npm run reconcile\`)`,
      against,
      goal: { faster: 10 },
      ours: times.kept,
      other: times.loop,
      notes: [`by \`pulumi up\` itself ${median(times.upKept)}`, regsync, `processor time: ${processor.kept}`],
    },
    {
      id: `${id} lost`,
      work: `${work}, state lost (\`npm run reconcile\`)`,
      against,
      goal: { faster: 12 },
      ours: times.lost,
      other: times.loop,
      notes: [`by \`pulumi up\` itself ${median(times.upLost)}`, `processor time: ${processor.lost}`],
    },
  ];
}

function requestsOf({ requests }: Measured): readonly Comparison[] {
  return (["kept", "lost"] as const).map((state) => ({
    id: `P1 requests ${state}`,
    work: `registry requests of that, state ${state}`,
    against: "a limit",
    goal: { atMost: 1 },
    unit: "requests",
    ours: [requests[state].length],
    other: [mostRequests],
    notes: [countRequests(requests[state])],
  }));
}
