import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { ActiveSigning, SigningServices } from "./signingArguments";

/** What `cosign signing-config create` and `cosign trusted-root create` write when they are given no service. */
const noServices =
  '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}';
const noRoots = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

const service = z.array(z.unknown()).nullish();
const schema = z.object({ rekorTlogUrls: service, tsaUrls: service });

/**
 * Finds out which services signing uses, and puts the files cosign wants into place.
 * Without a signing config those of cosign: the public Sigstore, or what TUF_MIRROR and TUF_ROOT name.
 * @param root the project's root, to which paths in the configuration are relative.
 * @param directory where generated files go.
 * @throws Error when a signing config cannot be read.
 */
export async function signingServices(
  signing: ActiveSigning,
  root: string,
  directory: string,
): Promise<SigningServices> {
  const trustedRoot = signing.trustedRoot === undefined ? undefined : resolve(root, signing.trustedRoot);
  if (signing.signingConfig === undefined) {
    return { ...(trustedRoot !== undefined && { trustedRoot }), transparencyLog: true, timestamps: false };
  }
  const none = signing.signingConfig === "none";
  const signingConfig = none ? join(directory, "signing-config.json") : resolve(root, signing.signingConfig);
  if (none) await writeFile(signingConfig, noServices);
  const { rekorTlogUrls, tsaUrls } = await read(signingConfig);
  const transparencyLog = (rekorTlogUrls ?? []).length > 0;
  const timestamps = (tsaUrls ?? []).length > 0;
  if (trustedRoot !== undefined || transparencyLog || timestamps || signing.mode === "keyless") {
    return { signingConfig, ...(trustedRoot !== undefined && { trustedRoot }), transparencyLog, timestamps };
  }
  // Nothing is trusted but the key. Without a root cosign would ask the public Sigstore for its own, over the network.
  const empty = join(directory, "trusted-root.json");
  await writeFile(empty, noRoots);
  return { signingConfig, trustedRoot: empty, transparencyLog, timestamps };
}

async function read(path: string): Promise<z.output<typeof schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(
      `attest.signing.signingConfig ${JSON.stringify(path)} is not readable as a Sigstore signing config`,
      { cause },
    );
  }
}
