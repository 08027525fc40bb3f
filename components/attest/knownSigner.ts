import { join } from "node:path";
import seeds from "@sigstore/tuf/seeds.json";
import { type ActiveSigning, authoritiesIn, expectedSigner } from "../config/expectedSigner";
import { reasonOf } from "../model/reasonOf";
import type { ExpectedSigner } from "../model/signer";
import { cacheDirectory } from "../system/cacheDirectory";
import type { RunProcess } from "../system/process";
import { askPublicKey } from "./signing";

/** Where whose signatures count is found out. */
export interface SignerPlace {
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly run: RunProcess;
}

/**
 * Whose signatures the stack takes for its own, with all it takes to tell them from those that only say so: the public key, or the
 * authorities of which one must have issued the certificate.
 * @throws Error when that cannot be had: then nobody knows whose a signature is.
 */
export function knownSigner(signing: ActiveSigning, { root, environment, run }: SignerPlace): Promise<ExpectedSigner> {
  return expectedSigner(signing, root, environment, {
    publicKey: (key) => askPublicKey(key, environment, run),
    authorities: () => publicAuthorities(environment),
  });
}

const publicMirror = "https://tuf-repo-cdn.sigstore.dev";

/**
 * The certificates of the authorities of the public Sigstore, or of the one TUF_MIRROR and TUF_ROOT_JSON name, as cosign has
 * them too: from its TUF repository, whose signatures are checked, and kept until they run out. Where the public one cannot be
 * reached they are those the library came with: a preview works without the network.
 * @returns DER in base64. @throws Error when a private repository gives none.
 */
export async function publicAuthorities(environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const { TUF_MIRROR: mirrorURL = publicMirror, TUF_ROOT_JSON: rootPath } = environment;
  const { initTUF } = await import("@sigstore/tuf");
  const cachePath = join(cacheDirectory(environment), "tuf");
  const options = { mirrorURL, cachePath, forceCache: true, retry: 0, timeout: 5000, ...(rootPath && { rootPath }) };
  try {
    return authoritiesIn(await (await initTUF(options)).getTarget(target));
  } catch (cause) {
    if (mirrorURL === publicMirror) return authoritiesIn(shipped());
    throw new Error(`which authorities issue certificates cannot be told: ${mirrorURL}: ${reasonOf(cause)}`, { cause });
  }
}

const target = "trusted_root.json";

function shipped(): string {
  return Buffer.from(seeds[publicMirror].targets[target], "base64").toString("utf8");
}
