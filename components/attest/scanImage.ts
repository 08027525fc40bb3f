import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { AttestConfig } from "../config/attestConfig";
import { Limiter } from "../system/limiter";
import { runProcess } from "../system/process";
import { makeSbom, type SbomSubject } from "./sbom";
import { syftEnvironment } from "./tools";

const longestScanMs = 15 * 60_000;

/**
 * Makes the SBOMs of images, as many at a time as the machine has processors: work of the build phase, as it unpacks what others made.
 * @returns a function that resolves to the content of an SPDX document, and rejects when syft fails.
 */
export function imageScanner(
  { signing }: Pick<AttestConfig, "signing">,
  environment: NodeJS.ProcessEnv,
): (subject: SbomSubject) => Promise<Buffer> {
  const limiter = new Limiter(availableParallelism());
  return (subject) =>
    limiter.run(async () => {
      const directory = await mkdtemp(join(tmpdir(), "scan-"));
      try {
        const options = {
          run: runProcess,
          environment: syftEnvironment(environment, signing),
          directory,
          limitMs: longestScanMs,
        };
        return await readFile(await makeSbom(subject, options));
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
}
