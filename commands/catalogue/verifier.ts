import { availableParallelism } from "node:os";
import { cosignFor } from "../../components/attest/cosign";
import { knownSigner } from "../../components/attest/knownSigner";
import { verifyHint } from "../../components/attest/verifyCommands";
import type { AttestConfig } from "../../components/config/attestConfig";
import { reasonOf } from "../../components/model/reasonOf";
import type { ExpectedSigner, TextRule } from "../../components/model/signer";
import { Limiter } from "../../components/system/limiter";
import { type RunProcess, runProcess } from "../../components/system/process";
import type { ProofEdges } from "./proof";

/** Name of the public key in the site, and in the commands shown. */
export const publicKeyFile = "cosign.pub";

/** How versions are verified here, and how others verify them. */
export interface Verifier extends Pick<ProofEdges, "verifier" | "reason" | "identity"> {
  /** Arguments of `cosign verify`. */
  readonly how: readonly string[] | undefined;
  /** PEM, where a key signs and its public half is known. */
  readonly publicKey?: string;
}

const limitMs = 120_000;

/**
 * Sets up cosign as the stack says. Where it cannot be used the catalogue is made all the same, and says that nothing was checked.
 * @param directory for files cosign wants. @param root to which paths in the configuration are relative.
 */
export async function verifierFor(
  { signing }: AttestConfig,
  {
    directory,
    root,
    environment,
  }: { readonly directory: string; readonly root: string; readonly environment: NodeJS.ProcessEnv },
): Promise<Verifier> {
  if (signing.mode === "off") {
    return { identity: "nobody: the stack signs nothing", reason: "the stack signs nothing", how: undefined };
  }
  try {
    const signer = await knownSigner(signing, { root, environment, run: runProcess });
    const publicKey = "publicKey" in signer ? signer.publicKey : undefined;
    // Others find the key in the site, wherever it is here.
    const shared =
      signing.mode === "key" && publicKey !== undefined ? { ...signing, publicKey: publicKeyFile } : signing;
    const how = verifyHint({ signing: shared }, environment);
    const identity = identityOf(signer);
    const shown = { identity, how, ...(publicKey !== undefined && { publicKey }) };
    const version = await runProcess("cosign", ["version"], { environment, limitMs }).catch(() => undefined);
    if (version?.status !== 0) return { ...shown, reason: "cosign is not installed where the catalogue was made" };
    const cosign = await cosignFor(signing, signer, { run: fewAtOnce(), environment, directory, root, limitMs });
    const terms = JSON.stringify([signer, how, /GitVersion:\s*(\S+)/.exec(version.stdout)?.[1]]);
    return { ...shown, verifier: { cosign, signer, terms } };
  } catch (error) {
    return { identity: "not known", reason: reasonOf(error), how: undefined };
  }
}

/** Each process of cosign keeps a processor busy. */
function fewAtOnce(): RunProcess {
  const limiter = new Limiter(availableParallelism());
  return (command, argv, options) => limiter.run(() => runProcess(command, argv, options));
}

function identityOf(signer: ExpectedSigner): string {
  if (!("subject" in signer))
    return signer.publicKey === undefined ? "the key of the stack" : `the key in ${publicKeyFile}`;
  return `${words(signer.subject)}, issuer ${words(signer.issuer)}`;
}

function words(rule: TextRule): string {
  return "exactly" in rule ? rule.exactly.join(" or ") : rule.matching;
}
