import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttestConfig } from "../config/attestConfig";
import { strangerProblem } from "../config/expectedSigner";
import type { Digest } from "../model/digest";
import { FallbackList, withDigest } from "../registry/fallbackReferrers";
import { RegistryClient } from "../registry/registryClient";
import { RegistryWriter } from "../registry/registryWriter";
import { type Clock, systemClock } from "../system/clock";
import type { RunProcess } from "../system/process";
import { AttestationWriter, type WriterEdges } from "./attestationWriter";
import type { AttestEdges } from "./addMissingAttestations";
import { copyImage } from "./copyContent";
import { cosignFor } from "./cosign";
import { knownSigner } from "./knownSigner";
import { missingIdentityToken } from "./signing";

/** Where attesting happens, and for how long. */
export interface Place {
  readonly environment: NodeJS.ProcessEnv;
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly tool: RunProcess;
  /** Of one call of cosign, and of all together. */
  readonly clock?: Pick<Clock, "sleep">;
  readonly limits: { readonly cosignSeconds: number; readonly totalSeconds: number };
}

/** What is at hand while attesting. */
export interface Workplace extends Omit<AttestEdges, "writer"> {
  readonly reader: RegistryClient;
  /** For files; gone afterwards. */
  readonly directory: string;
  /** Brings one platform's image into a repository, by its digest and without a tag. */
  readonly bring: (digest: Digest, from: string, repository: string) => Promise<void>;
  /** Makes the lists of what is attached to digests fit for other tools; see {@link FallbackList.tidy}. */
  readonly tidy: (repository: string, digests: readonly Digest[]) => Promise<void>;
  /** Makes a writer for one repository. */
  readonly writer: (repository: string, sources: Pick<WriterEdges, "sbom" | "predicate">) => AttestEdges["writer"];
}

/**
 * Opens what attesting needs, does the work, and clears up.
 * @throws what the work throws.
 */
export async function atWorkplace<T>(
  { signing }: Pick<AttestConfig, "signing">,
  { environment, root, tool, limits, clock = systemClock }: Place,
  work: (workplace: Workplace) => Promise<T>,
): Promise<T> {
  if (signing.mode === "off") throw new Error("signing is switched off, so nothing can be attested");
  const directory = await mkdtemp(join(tmpdir(), "attest-"));
  const reader = new RegistryClient({ environment });
  const writer = new RegistryWriter(environment);
  try {
    const limitMs = limits.cosignSeconds * 1000;
    const signer = await knownSigner(signing, { root, environment, run: tool });
    const cosign = await cosignFor(signing, signer, { run: tool, environment, directory, root, limitMs });
    const fallback = new FallbackList(reader, writer);
    const deadline = AbortSignal.timeout(limits.totalSeconds * 1000);
    return await work({
      directory,
      reader,
      signer,
      cosign,
      deadline,
      bring: (digest, from, to) => copyImage(digest, { from, to }, { reader, writer }),
      cannotSign: () =>
        signing.mode === "keyless"
          ? (strangerProblem(signing, environment) ?? missingIdentityToken(environment))
          : undefined,
      tidy: async (repository, digests) => {
        const tidied = digests.map((digest) =>
          withDigest(`${repository}@${digest}`, deadline, () => fallback.tidy(repository, digest)),
        );
        await Promise.all(tidied);
      },
      sleep: (milliseconds) => clock.sleep(milliseconds),
      writer: (repository, sources) =>
        new AttestationWriter(repository, {
          reader,
          signer,
          cosign,
          deadline,
          writer,
          lists: fallback,
          locked: (reference, write) => withDigest(reference, deadline, write),
          ...sources,
        }),
    });
  } finally {
    await Promise.all([reader.close(), writer.close()]);
    await rm(directory, { recursive: true, force: true });
  }
}
