import { existsSync } from "node:fs";

const file = "/var/run/sigstore/cosign/oidc-token";
const variables = [
  "SIGSTORE_ID_TOKEN",
  "BUILDKITE_AGENT_ACCESS_TOKEN",
  "GOOGLE_SERVICE_ACCOUNT_NAME",
  "SPIFFE_ENDPOINT_SOCKET",
];

/**
 * Why this machine cannot sign keyless; undefined when it has a source of identity tokens cosign knows.
 * Asked before anything is started, as cosign would otherwise only notice after the work is done.
 */
export function missingIdentityToken(
  environment: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  const github = environment["ACTIONS_ID_TOKEN_REQUEST_URL"] && environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (github || variables.some((name) => environment[name]) || exists(file)) return undefined;
  const onGithub = environment["GITHUB_ACTIONS"] === "true" ? "; give the job `permissions: id-token: write`" : "";
  return (
    "keyless signing needs an OIDC identity token and this machine has none: neither ACTIONS_ID_TOKEN_REQUEST_URL and " +
    `ACTIONS_ID_TOKEN_REQUEST_TOKEN nor ${variables.join(", ")} is set, and there is no ${file}${onGithub}. ` +
    "Run it where there is one, or set attest.signing to a key or to off"
  );
}
