import { Cosign } from "./cosign";
import { publicKey, resolveKey } from "./publicKey";
import { type ActiveSigning, expectedIdentity, signingArguments, verificationArguments } from "./signingArguments";
import { signingServices } from "./signingServices";
import { cosignEnvironment } from "./toolEnvironment";
import type { RunTool } from "./toolProcess";

/** Where and how cosign runs. */
export interface CosignPlace {
  readonly run: RunTool;
  readonly environment: NodeJS.ProcessEnv;
  /** For generated files. */
  readonly directory: string;
  /** The project's root, to which paths in the configuration are relative. */
  readonly root: string;
  readonly limitMs: number;
}

/**
 * cosign, set up as the stack config says.
 * @throws Error when a file it names cannot be read, or nothing says whose keyless signatures to accept.
 */
export async function cosignFor(signing: ActiveSigning, place: CosignPlace): Promise<Cosign> {
  const { run, directory, root, limitMs } = place;
  const environment = cosignEnvironment(place.environment);
  const services = await signingServices(signing, root, directory);
  const who =
    signing.mode === "key"
      ? { publicKey: await publicKey(signing, { root, directory, environment, run }) }
      : expectedIdentity(signing, place.environment);
  const signer = signing.mode === "key" ? { ...signing, key: resolveKey(signing.key, root) } : signing;
  const [sign, verify] = [signingArguments(signer, services), verificationArguments(who, services)];
  return new Cosign({ run, environment, directory, limitMs, sign, verify });
}
