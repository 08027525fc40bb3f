import { cacheDirectory } from "./cacheDirectory";
import type { AppSpecification, BuildTarget } from "./plan/appSpecification";
import type { Digest } from "./plan/digest";
import type { Offer } from "./survey/surveyEdges";
import { resolveChecksums } from "./upstream/fileChecksums";
import { fileTransport } from "./upstream/fileTransport";
import { probeFiles } from "./upstream/requiredFiles";
import { reasonOf } from "./reasonOf";

/** Answers about the files an app's builds fetch. */
export interface UpstreamFiles {
  /** Whether all files of a platform are there. Never rejects. */
  readonly offer: (specification: AppSpecification, target: BuildTarget) => Promise<Offer>;
  /** Checksum of each file by URL. Rejects when one that is asked for cannot be had. */
  readonly checksums: (
    specification: AppSpecification,
    target: BuildTarget,
  ) => Promise<Readonly<Record<string, Digest>>>;
}

/** Opens the way to upstream's file hosts. */
export function upstreamFiles(): UpstreamFiles {
  const transport = fileTransport();
  return {
    offer: async (specification, target) => {
      try {
        const answers = await probeFiles(specification.files?.(target) ?? [], { transport });
        const worst =
          answers.find(({ state }) => state === "unknown") ?? answers.find(({ state }) => state === "missing");
        return worst && worst.state !== "available"
          ? { state: worst.state, reason: worst.reason }
          : { state: "offered" };
      } catch (error) {
        return { state: "unknown", reason: reasonOf(error) };
      }
    },
    checksums: async (specification, target) => {
      const files = specification.files?.(target) ?? [];
      return Object.fromEntries(await resolveChecksums(files, { transport, cacheDirectory: cacheDirectory() }));
    },
  };
}
