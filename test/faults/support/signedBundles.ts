import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { MirrorUnderTest } from "../../e2e/support/mirrorUnderTest";

const execute = promisify(execFile);

/** The setting `attest` that signs with the sandbox's key and no service. */
export function signingByKey(mirror: MirrorUnderTest): object {
  const key = mirror.sandbox.env["MIRROR_SANDBOX_COSIGN_KEY"];
  return { signing: { mode: "key", key, signingConfig: "none" } };
}

/**
 * What cosign verifies on a digest, sorted: each bundle's kind, or its predicate type when it is of no known kind. None when
 * nothing verifies.
 */
export async function verified(mirror: MirrorUnderTest, app: string, digest: string): Promise<readonly string[]> {
  const key = mirror.sandbox.env["MIRROR_SANDBOX_COSIGN_PUB"] ?? "";
  const argv = [
    "verify",
    "--key",
    key,
    "--insecure-ignore-tlog",
    "--output",
    "json",
    mirror.registry.name(app, digest),
  ];
  const { stdout } = await execute("cosign", argv, { env: mirror.environment(), maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => {
      if (/no signatures found/.test(String(error))) return { stdout: "[]" };
      throw error;
    },
  );
  const line = stdout.split("\n").find((candidate) => candidate.startsWith("[")) ?? "[]";
  const entries = JSON.parse(line) as readonly { readonly critical: { readonly type: string } }[];
  return entries.map(({ critical }) => kindOf(critical.type)).toSorted();
}

/** The provenances on an image that cosign verifies. @param how whose they must be, as cosign takes it. */
export async function attested(
  reference: string,
  how: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly unknown[]> {
  const argv = ["verify-attestation", ...how, "--type", "slsaprovenance1", reference];
  const { stdout } = await execute("cosign", argv, { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const { payload } = JSON.parse(line) as { readonly payload: string };
    return [JSON.parse(Buffer.from(payload, "base64").toString()) as unknown];
  });
}

/** What a complete version of two platforms carries: on its index, and on each platform. */
export const bundles = {
  index: ["mirror", "provenance", "sbom", "sbom", "signature"],
  platform: ["provenance", "sbom", "signature"],
} as const;

function kindOf(type: string): string {
  const kinds: Readonly<Record<string, RegExp>> = {
    sbom: /^https:\/\/spdx\.dev\//,
    provenance: /^https:\/\/slsa\.dev\/provenance\//,
    mirror: /\/predicate\/mirror\//,
    signature: /^https:\/\/sigstore\.dev\/cosign\/sign\//,
  };
  return Object.entries(kinds).find(([, pattern]) => pattern.test(type))?.[0] ?? type;
}
