import * as pulumi from "@pulumi/pulumi";
import { trustServices } from "../attest/trustServices";
import { checkBeforeTag, checksMade, describeCheck } from "../check/checkBeforeTag";
import type { CheckRequest } from "../check/checkImage";
import type { Configuration } from "../config/configuration";
import { builderFor } from "../config/mirrorConfig";
import type { FindVersion } from "../declare/declareApps";
import { buildCache } from "../declare/mirroredImage";
import type { VersionServices } from "../declare/versionServices";
import { keptRecord, recordFolder, writeRecord } from "../handover/recordFolder";
import type { Host } from "./host";
import { reasonOf } from "../model/reasonOf";
import { appOf } from "../model/reference";
import type { Edges } from "./openEdges";
import { holding } from "../probe/probeTag";
import { makeWay } from "../registry/makeWay";
import { RegistryWriter } from "../registry/registryWriter";
import { UnpublishedIndex, unpublishedTag } from "../registry/unpublishedIndex";
import { Limiter } from "../system/limiter";

/** Every way the resources of a run reach the outside. Sends nothing yet. */
export function openServices(
  config: Configuration,
  { registry, isolation, probe, run: runOf }: Edges,
  { environment, warn }: Host,
): (find: FindVersion) => VersionServices {
  const trust = trustServices(config.attest, warn);
  const run = runOf();
  const { phase, digests } = config.run;
  // To whom they are handed over, or where they stay.
  const records = (phase === "build" ? digests : undefined) ?? recordFolder(config);
  const access = { client: registry, writer: new RegistryWriter(environment) };
  const unpublished = new UnpublishedIndex(access);
  const unheld = new Set<string>();
  const turns = new Map<string, Limiter>();
  return (find) => ({
    inTurn: (app, build) => {
      const own = turns.get(app) ?? new Limiter(buildsAtOnce(config, environment));
      turns.set(app, own);
      return own.run(() => {
        // Loads while the builder works; what is built is looked at at once.
        void isolation.ready(app, "check/inspectImage.ts");
        return build();
      });
    },
    check: async (image) => {
      const owner = image.specification.name;
      const inspect: CheckRequest["inspect"] = (input) =>
        isolation.run({ owner, job: ["check/inspectImage.ts", "inspectApart"], input, limitMs: 15 * 60_000 });
      const report = await checkBeforeTag(image, inspect, config.builder);
      await pulumi.log.info(describeCheck(image, report));
      return checksMade(image, report);
    },
    hold: async (repository, digest) => {
      // A list that cannot grow holds nothing.
      if (config.immutableTags !== "none") return;
      await unpublished.hold(repository, digest).catch(async (error: unknown) => {
        if (unheld.has(repository)) return;
        unheld.add(repository);
        const note = `what is built cannot be listed under the tag ${unpublishedTag} until its version has a tag`;
        await warn(`${appOf(repository)}: ${note}: ${reasonOf(error)}`);
      });
    },
    keepRecord: async (record, reference) =>
      (await keptRecord(records, record)) ?? writeRecord(records, record, await trust.scan(record, reference)),
    ...trust,
    run,
    phase,
    attest: { config: config.attest, startedOn: run.run.startedOn },
    lookAgain: async (reference) => holding(reference, await probe(reference)),
    makeWay: (reference, next) =>
      makeWay(access, reference, next).catch((error: unknown) => warn(`${reference}: ${reasonOf(error)}`)),
    builder: (platform) => builderFor(config.builder, platform),
    cache: (name, platform) => buildCache(config, name, platform),
    imageOf: (app, version, platform) => {
      const image = find(app, version)?.images[platform];
      if (image) return image;
      throw new Error(`no image of ${app} ${version} for ${platform} is declared in this run`);
    },
  });
}

/** Half of what Pulumi does at once, where there are others whose builds must not wait for those of one app. */
function buildsAtOnce({ apps, run }: Configuration, environment: NodeJS.ProcessEnv): number {
  // How Pulumi's language host tells the program of --parallel, of which the SDK says nothing.
  const parallel = Math.max(2, Number(environment["PULUMI_NODEJS_PARALLEL"]) || 2);
  return (run.apps?.length ?? apps.size) === 1 ? parallel : Math.floor(parallel / 2);
}
