import type { ProcessResult } from "../system/process";
import type { Signing } from "../config/attestConfig";
import { disarmed } from "../model/safeText";

const secrets = /PASSWORD|TOKEN|SECRET|PRIVATE|CREDENTIAL/i;
const shownLength = 1500;

/**
 * The error for a tool that ended with a status other than 0. The line that says why comes before anything that may be long, as
 * reports show the beginning of a reason; then status, subject, and the end of what else it wrote. Printable, and without any value
 * of a secret-looking environment variable.
 */
export function toolFailure(
  tool: string,
  argv: readonly string[],
  result: ProcessResult,
  environment: NodeJS.ProcessEnv,
): Error {
  const said = redacted(result.stderr.trim() || result.stdout.trim(), environment);
  const reason = reasonLine(said);
  // cosign ends by saying its reason once more, in other words at the front.
  const rest = [...new Set(linesOf(said))].filter((line) => !line.endsWith(reason));
  const also = rest.length === 0 ? "" : `; it also wrote: ${disarmed(rest.join(" | ")).slice(-shownLength)}`;
  const shown = firstLine(said) || "it wrote nothing";
  return new Error(`${tool} ${argv[0] ?? ""}: ${shown} (status ${result.status}, for ${argv.at(-1) ?? ""}${also})`);
}

/** The line in which a tool says what is wrong: the one that begins so, or else the first. Printable, and not longer than is read. */
export function firstLine(said: string): string {
  return disarmed(reasonLine(said)).slice(0, shownLength);
}

/** What cosign and syft begin the line with in which they say what is wrong. */
const reasonMark = /^(?:error: |\[\d+\] +error )/i;

function reasonLine(said: string): string {
  const lines = linesOf(said);
  return (lines.find((line) => reasonMark.test(line)) ?? lines[0] ?? "").replace(reasonMark, "");
}

function linesOf(said: string): readonly string[] {
  return said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function redacted(text: string, environment: NodeJS.ProcessEnv): string {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    secrets.test(name) && value !== undefined && value.length >= 4 ? [value] : [],
  );
  return values.reduce((shown, value) => shown.replaceAll(value, "[secret]"), text);
}

/**
 * The environment of cosign: ours, without the COSIGN_ variables by which it lets flags and the place of signatures be
 * changed unseen. The password stays; an unset one is empty, as cosign would ask for it.
 */
export function cosignEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = (name: string): boolean => !name.startsWith("COSIGN_") || name.startsWith("COSIGN_PKCS11_");
  return { ...only(environment, kept), ...keys(environment), COSIGN_PASSWORD: environment["COSIGN_PASSWORD"] ?? "" };
}

/** The environment of syft, which reads images of others: ours, without anything one could sign or deploy with. */
export function syftEnvironment(environment: NodeJS.ProcessEnv, signing: Signing): NodeJS.ProcessEnv {
  const key = signing.mode === "key" ? /^env:\/\/(.*)$/.exec(signing.key)?.[1] : undefined;
  const secret = /^(COSIGN_|SIGSTORE_ID_TOKEN$|ACTIONS_|PULUMI_|GITHUB_TOKEN$|GH_TOKEN$|VAULT_)/;
  return only(environment, (name) => !secret.test(name) && name !== key);
}

/** Keys handed over as `env://COSIGN_PRIVATE_KEY`, the name cosign's own documentation uses. */
function keys(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return only(environment, (name) => name === "COSIGN_PRIVATE_KEY" || name === "COSIGN_PUBLIC_KEY");
}

function only(environment: NodeJS.ProcessEnv, keep: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => keep(name)));
}
