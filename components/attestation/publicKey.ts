import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Signing } from "./attestConfig";
import { toolFailure } from "./toolFailure";
import type { RunTool } from "./toolProcess";

/** A key reference with its path made absolute; `env://` and KMS URIs stay as they are. */
export function resolveKey(key: string, root: string): string {
  return key.includes("://") ? key : resolve(root, key);
}

/**
 * The public key that belongs to the configured signing key: the one named, a KMS's own, the `.pub` beside a `.key`
 * file, or, as a last resort, derived with cosign.
 * @throws Error when it cannot be derived; the usual cause is a wrong COSIGN_PASSWORD.
 */
export async function publicKey(
  signing: Extract<Signing, { readonly mode: "key" }>,
  options: {
    readonly root: string;
    readonly directory: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly run: RunTool;
  },
): Promise<string> {
  const { root, directory, environment, run } = options;
  if (signing.publicKey !== undefined) return resolveKey(signing.publicKey, root);
  const key = resolveKey(signing.key, root);
  if (key.includes("://") && !key.startsWith("env://")) return key;
  const beside = key.replace(/\.key$/, ".pub");
  if (beside !== key && !key.includes("://") && existsSync(beside)) return beside;
  const file = join(directory, "cosign.pub");
  const argv = ["public-key", "--key", key, "--outfile", file];
  const result = await run("cosign", argv, { environment, directory, limitMs: 60_000 });
  if (result.status !== 0) throw toolFailure("cosign", argv, result, environment);
  return file;
}
