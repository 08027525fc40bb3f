import { availableParallelism } from "node:os";
import type { AttestConfig } from "../config/attestConfig";
import type { BuildRecord } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import { reasonOf } from "../model/reasonOf";
import { appOf } from "../model/reference";
import { RegistryError } from "../registry/registryError";
import { Limiter } from "../system/limiter";
import { runProcess } from "../system/process";
import { SigningError } from "./cosign";
import { isSigned } from "./addMissingAttestations";
import { type SealRequest, sealImages } from "./sealImages";
import { atWorkplace } from "./workplace";
import { imageScanner } from "./makeSbom";

/** What lists the contents of images, signs them, and says whether they are signed. */
export interface TrustServices {
  /**
   * The SPDX document of an image that is at a reference; undefined where none is wanted or can be made: the version is then
   * published without it and told to lack it. Never rejects.
   */
  readonly scan: (record: BuildRecord, reference: string) => Promise<Buffer | undefined>;
  /** Signs and attests platform manifests before an index names them. Rejects with the reason why there must be no tag. */
  readonly seal: (request: SealRequest) => Promise<void>;
  /** Whether an index carries a valid signature of ours, or nothing is signed at all. Never rejects: what nobody can tell is not signed. */
  readonly signed: (repository: string, digest: Digest) => Promise<boolean>;
}

const limits = { cosignSeconds: 90, totalSeconds: 1800 };

/** Makes them as the stack configuration wants it; as many versions at a time as the machine has processors. @param warn tells an operator. */
export function trustServices(attest: AttestConfig, warn: (text: string) => Promise<void>): TrustServices {
  const scanner = imageScanner(attest, process.env);
  const place = { environment: process.env, root: process.cwd(), tool: runProcess, limits };
  const limiter = new Limiter(availableParallelism());
  const isOff = attest.signing.mode === "off";
  /** Repositories whose images could not be signed: the others of the run are not tried there. */
  const stalled = new Map<string, string>();
  return {
    scan: async ({ platform, image, app, version }, from) => {
      if (isOff || !attest.sbom) return undefined;
      try {
        return await scanner({ ...image, platform, from });
      } catch (error) {
        await warn(`${app} ${version} ${platform}: no SBOM could be made: ${reasonOf(error)}`);
        return undefined;
      }
    },
    seal: (request) =>
      limiter.run(async () => {
        const { repository } = request;
        const before = stalled.get(repository);
        if (before !== undefined) throw new Error(`it was not tried, as signing failed for another version: ${before}`);
        const lacking = await sealImages(request, attest, place).catch((error: unknown) => {
          const cause = error instanceof Error ? error.cause : undefined;
          if (cause instanceof SigningError || cause instanceof RegistryError) stalled.set(repository, cause.message);
          throw error;
        });
        if (lacking !== undefined) await warn(`${appOf(repository)} ${request.version}: ${lacking}`);
      }),
    signed: (repository, digest) =>
      limiter.run(async () => {
        if (isOff) return true;
        try {
          return await atWorkplace(attest, place, (workplace) => isSigned(repository, digest, workplace));
        } catch (error) {
          await warn(`${appOf(repository)}: whether ${digest} is signed cannot be told: ${reasonOf(error)}`);
          return false;
        }
      }),
  };
}
