import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTools } from "../tools/toolchain/ensureTools";
import { alternate } from "./support/alternate";
import type { BenchApp } from "./support/benchApp";
import type { Benchmark } from "./support/benchOptions";
import { checkRegistry } from "./support/checkRegistry";
import { countRequests } from "./support/countRequests";
import { spreadOf } from "./support/spread";
import { stackOf, threeApps } from "./support/threeApps";
import type { Workshop } from "./support/workshop";

const namespace = "p1";

/** Nothing to do: everything is published, and the question is how long it takes to find that out. */
export const noOp: Benchmark = {
  id: "P1",
  measure: async (workshop, options) => {
    const { latency, rounds, progress } = options;
    const three = await threeApps(workshop, "still", { quick: options.quick, seconds: 0 });
    const kept = await stackOf(workshop, three, namespace);
    await kept.up();
    await checkRegistry(workshop, namespace, three.apps);
    // The first no-op after a build still writes what it learned.
    await kept.up();
    const regsync = await regsyncCheck(workshop, three.apps);
    const lost = async (run: "up" | "preview"): Promise<number> =>
      (await (await stackOf(workshop, three, namespace))[run]()).seconds;
    const contestants = {
      "up, state kept": async () => (await kept.up()).seconds,
      "up, state lost": () => lost("up"),
      "preview, state kept": async () => (await kept.preview()).seconds,
      "preview, state lost": () => lost("preview"),
      loop: () => classicLoop(workshop, three.apps),
      regsync,
    };
    const times = await workshop.delayed(latency, () => alternate(contestants, rounds, progress));
    const requests = {
      kept: await workshop.requests(() => kept.up()),
      lost: await workshop.requests(() => lost("up")),
      loop: await workshop.requests(() => classicLoop(workshop, three.apps)),
      regsync: await workshop.requests(regsync),
    };
    await checkRegistry(workshop, namespace, three.apps);
    const images = three.apps.flatMap(({ versions }) => versions).length * 2;
    const median = (samples: readonly number[]): string => `${spreadOf(samples).median.toFixed(2)} s`;
    const loop = "one `docker manifest inspect` per version, one after the other";
    const work = `no-op of ${images / 2} versions × 2 platforms`;
    return [
      {
        id: "P1 kept",
        work: `${work}, state kept (\`pulumi up\`)`,
        against: loop,
        goal: { faster: 5 },
        ours: times["up, state kept"],
        other: times.loop,
        notes: [
          `as a preview ${median(times["preview, state kept"])}; \`regsync check\` of the same tags against a copy of them, which knows no upstream releases and no platforms, ${median(times.regsync)}`,
        ],
      },
      {
        id: "P1 lost",
        work: `${work}, state lost (\`pulumi up\`)`,
        against: loop,
        goal: { faster: 8 },
        ours: times["up, state lost"],
        other: times.loop,
        notes: [`as a preview ${median(times["preview, state lost"])}`],
      },
      {
        id: "P1 requests kept",
        work: "registry requests of that, state kept",
        against: "2 per version and platform",
        goal: { atMost: 1 },
        unit: "requests",
        ours: [requests.kept.length],
        other: [2 * images],
        notes: [
          countRequests(requests.kept),
          `the loop makes ${requests.loop.length}, regsync ${requests.regsync.length}`,
        ],
      },
      {
        id: "P1 requests lost",
        work: "registry requests of that, state lost",
        against: "2 per version and platform",
        goal: { atMost: 1 },
        unit: "requests",
        ours: [requests.lost.length],
        other: [2 * images],
        notes: [countRequests(requests.lost)],
      },
    ];
  },
};

/** What a shell script does that has no better idea. */
async function classicLoop(workshop: Workshop, apps: readonly BenchApp[]): Promise<number> {
  const references = apps.flatMap(({ name, versions }) =>
    versions.map(({ version }) => workshop.registry(namespace).name(name, version)),
  );
  const script = 'for image in "$@"; do docker manifest inspect --insecure "$image" > /dev/null || exit 1; done';
  return (await workshop.run(["sh", "-c", script, "sh", ...references])).seconds;
}

/** `regsync check` can only compare tags with tags, so it gets a copy of everything to compare with. */
async function regsyncCheck(workshop: Workshop, apps: readonly BenchApp[]): Promise<() => Promise<number>> {
  const program = (await ensureTools(["regsync"])).programs.get("regsync") ?? "regsync";
  const registry = workshop.registry(namespace);
  const copy = workshop.registry(`${namespace}-copy`);
  for (const { name, versions } of apps) {
    for (const { version } of versions)
      await registry.regctl("image", "copy", registry.name(name, version), copy.name(name, version));
  }
  const file = join(workshop.folder, "regsync.yaml");
  const host = registry.repositories.split("/")[0];
  const sync = apps.map(({ name }) => ({
    source: copy.name(name),
    target: registry.name(name),
    type: "repository",
    tags: { allow: ["[0-9.]+"] },
  }));
  const settings = { version: 1, creds: [{ registry: host, tls: "disabled" }], defaults: { parallel: 16 }, sync };
  writeFileSync(file, JSON.stringify(settings));
  return async () => (await workshop.run([program, "check", "--config", file])).seconds;
}
