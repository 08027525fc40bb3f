import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { isSigned } from "./attest/isSigned";
import { imageScanner } from "./attest/scanImage";
import { sealImages } from "./attest/sealImages";
import { atWorkplace } from "./attest/workplace";
import type { Configuration } from "./config/configuration";
import type { VersionServices } from "./declare/versionServices";
import { writeRecord } from "./handover/recordFolder";
import type { BuildRecord } from "./model/buildRecord";
import { reasonOf } from "./model/reasonOf";
import { Limiter } from "./system/limiter";
import { runProcess } from "./system/process";
import { cacheDirectory } from "./system/cacheDirectory";

/** What keeps records of images and what signs them, as the stack configuration wants it. Starts nothing yet. */
export function trustServices({
  attest,
  run,
  registry,
  namespace,
}: Configuration): Pick<VersionServices, "keepRecord" | "seal" | "signed"> {
  const folder = run.digests ?? join(cacheDirectory(), "records", registry, namespace);
  const scanner = imageScanner(attest, process.env);
  const limits = { cosignSeconds: 90, totalSeconds: 1800 };
  const place = { environment: process.env, root: process.cwd(), tool: runProcess, limits };
  const limiter = new Limiter(availableParallelism());
  const isOff = attest.signing.mode === "off";
  // An image whose contents cannot be listed is published without that list, and the version is told to lack it.
  const scan = async ({ platform, image, app, version }: BuildRecord, from: string): Promise<Buffer | undefined> => {
    if (isOff || !attest.sbom) return undefined;
    try {
      return await scanner({ ...image, platform, from });
    } catch (error) {
      await pulumi.log.warn(`${app} ${version} ${platform}: no SBOM could be made: ${reasonOf(error)}`);
      return undefined;
    }
  };
  return {
    keepRecord: async (record, reference) => writeRecord(folder, record, await scan(record, reference)),
    seal: (request) =>
      limiter.run(async () => {
        const lacking = await sealImages(request, attest, place);
        if (lacking !== undefined) await pulumi.log.warn(`${request.repository}: ${lacking}`);
      }),
    signed: (repository, digest) =>
      limiter.run(async () => {
        if (isOff) return true;
        try {
          return await atWorkplace(attest, place, (workplace) => isSigned(repository, digest, workplace));
        } catch (error) {
          await pulumi.log.warn(`whether ${repository}@${digest} is signed cannot be told: ${reasonOf(error)}`);
          return false;
        }
      }),
  };
}
