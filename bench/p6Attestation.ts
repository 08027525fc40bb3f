import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mirrorPredicate } from "../components/attest/mirrorPredicate";
import { provenance } from "../components/attest/provenance";
import { planVariable } from "../components/attest/attestPlan";
import { imageScanner } from "../components/attest/makeSbom";
import { attestConfigSchema } from "../components/config/attestConfig";
import type { Digest } from "../components/model/digest";
import { type PerPlatform, platformEntries, platformSlug } from "../components/model/platform";
import { writeDebianLayout } from "../test/attest/debianLayout";
import { exampleRecord } from "../test/attest/fixtures";
import { checkout } from "../components/engine/checkout";
import { alternate } from "./support/alternate";
import { AnnotatedCopies, type CopiedVersion } from "./support/annotatedCopies";
import { BenchApp, versionNumbers } from "./support/benchApp";
import type { Benchmark } from "./support/benchOptions";
import { appFiles } from "./support/threeApps";
import { describeProcessor } from "./support/watchProcessor";
import type { Workshop } from "./support/workshop";

const name = "signed";
const signing = {
  mode: "key",
  key: "${MIRROR_SANDBOX_COSIGN_KEY}",
  publicKey: "${MIRROR_SANDBOX_COSIGN_PUB}",
  signingConfig: "none",
};

/** Signature, provenance, mirror record and SBOMs of published versions. */
export const attestation: Benchmark = {
  id: "P6",
  measure: async (workshop, { latency, rounds, quick, progress }) => {
    const many = quick ? 2 : 10;
    const images = new Images(workshop);
    const app = await BenchApp.create(workshop, { name, versions: versionNumbers(many), seconds: 0 });
    const program = workshop.program(appFiles(workshop, [app]));
    const plainly = async (
      count: number,
      attest: (repository: string, version: CopiedVersion) => Promise<number>,
    ): Promise<number> => {
      const { repository, versions } = await images.publish(many, count);
      let seconds = 0;
      for (const version of versions) seconds += await workshop.delayed(latency, () => attest(repository, version));
      for (const version of versions) await verify(workshop, repository, version);
      return seconds;
    };
    const scripted = (repository: string, version: CopiedVersion): Promise<number> =>
      script(workshop, repository, version);
    let processor = "";
    const run = async (count: number): Promise<number> => {
      const { namespace, repository, versions } = await images.publish(many, count);
      const attest = { signing, adopted: true };
      const stack = await workshop.stack(program, { namespace, keep: count, attest, floatingTags: false });
      const { seconds, processor: used } = await workshop.delayed(latency, () => stack.up({ processor: true }));
      processor = count === many ? describeProcessor(used) : processor;
      for (const version of versions) await verify(workshop, repository, version);
      return seconds;
    };
    const times = await alternate(
      {
        script: () => plainly(1, scripted),
        runner: () => plainly(1, (repository, version) => runner(workshop, repository, version)),
        scriptOfMany: () => plainly(many, scripted),
        many: () => run(many),
      },
      rounds,
      progress,
    );
    return [
      {
        id: "P6 one",
        work: "attesting one version of 2 platforms: 3 signatures, 2 scans, 6 attestations, and verifying all of it",
        against: "a script of `cosign` and `syft` that makes the same and verifies nothing",
        goal: { atMost: 0.7 },
        ours: times.runner,
        other: times.script,
      },
      {
        id: "P6 ten",
        work: `attesting ${many} versions published by others (\`pulumi up\`)`,
        against: "the same script for each of them, one after the other",
        goal: { atMost: 0.35 },
        ours: times.many,
        other: times.scriptOfMany,
        notes: [`processor time of ${many}: ${processor}`],
      },
    ];
  },
};

/** Publishes images with a few Debian packages, never the same twice. */
class Images {
  private made = 0;

  constructor(private readonly workshop: Workshop) {}

  /** The `count` highest of a number of versions. */
  async publish(
    of: number,
    count: number,
  ): Promise<{ readonly namespace: string; readonly repository: string; readonly versions: readonly CopiedVersion[] }> {
    const namespace = `p6-${(this.made += 1)}`;
    const registry = this.workshop.registry(namespace);
    const layout = join(this.workshop.folder, namespace);
    await writeDebianLayout(layout);
    await registry.regctl("image", "copy", `ocidir://${layout}:1.0.0`, registry.name(name, "base"));
    const copies = await AnnotatedCopies.of(registry.name(name), "base");
    const versions = await Promise.all(
      versionNumbers(of)
        .slice(-count)
        .map((tag) => copies.publish(tag, `${namespace} ${tag}`)),
    );
    return { namespace, repository: registry.name(name), versions };
  }
}

/** As a run does it: the images are scanned where they are built, and then attested from their records. */
async function runner(workshop: Workshop, repository: string, version: CopiedVersion): Promise<number> {
  const { env } = workshop.sandbox;
  const keys = { key: env["MIRROR_SANDBOX_COSIGN_KEY"], publicKey: env["MIRROR_SANDBOX_COSIGN_PUB"] };
  const config = { signing: { mode: "key", ...keys, signingConfig: "none" } };
  const platforms = version.platforms as PerPlatform<Digest>;
  const scan = imageScanner(attestConfigSchema.parse(config), workshop.environment);
  const started = performance.now();
  const sboms = await Promise.all(
    platformEntries(platforms).map(async ([platform, digest]) => {
      const path = join(workshop.folder, `${platformSlug(platform)}.spdx.json`);
      writeFileSync(path, await scan({ repository, digest, platform }));
      return [platform, path] as const;
    }),
  );
  const scanned = (performance.now() - started) / 1000;
  const plan = {
    repository,
    indexDigest: version.index,
    config,
    version: exampleRecord.version,
    tag: exampleRecord.tag,
    known: Object.values(platforms),
    labels: {},
    sboms: Object.fromEntries(sboms),
    startedOn: "2026-01-01T00:00:00Z",
  };
  const { seconds } = await workshop.run(["node", "components/attest/launch.cjs"], {
    cwd: checkout,
    env: { ...workshop.environment, [planVariable]: JSON.stringify(plan) },
    stdin: JSON.stringify(exampleRecord),
  });
  return scanned + seconds;
}

async function script(workshop: Workshop, repository: string, version: CopiedVersion): Promise<number> {
  const platforms = version.platforms as Readonly<Record<`linux/${string}`, Digest>>;
  const write = (file: string, content: unknown): string => {
    const path = join(workshop.folder, file);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const files = [
    write("provenance.json", provenance(exampleRecord, platforms)),
    write("mirror.json", mirrorPredicate(exampleRecord, { repository, digest: version.index as Digest, platforms })),
  ];
  const images = Object.entries(version.platforms).map(([platform, digest]) => `${platform}=${digest}`);
  const argv = ["sh", join(checkout, "bench/support/attest.sh"), repository, version.index, ...files, ...images];
  return (await workshop.run(argv)).seconds;
}

/** Asks cosign itself: the index is signed, and every platform has its SBOM. */
async function verify(workshop: Workshop, repository: string, { index, platforms }: CopiedVersion): Promise<void> {
  const key = ["--key", workshop.sandbox.env["MIRROR_SANDBOX_COSIGN_PUB"] ?? "", "--insecure-ignore-tlog"];
  await workshop.run(["cosign", "verify", ...key, `${repository}@${index}`]);
  for (const digest of Object.values(platforms))
    await workshop.run(["cosign", "verify-attestation", ...key, "--type", "spdxjson", `${repository}@${digest}`]);
}
