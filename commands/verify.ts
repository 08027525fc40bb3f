import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { Cosign } from "../components/attest/cosign";
import { type ImageSigner, type ImageVerification, verifyImage } from "./verify/imageVerification";
import { askPublicKey, verificationArguments } from "../components/attest/signing";
import { textRule } from "../components/config/attestConfig";
import { githubIssuer, mirrorWorkflow, readPublicKey, workflowAt } from "../components/config/expectedSigner";
import type { ExpectedCertificate } from "../components/model/signer";
import { runProcess } from "../components/system/process";
import { parseReference } from "../components/model/reference";
import { RegistryClient } from "../components/registry/registryClient";
import { speaker } from "./reconcile/voice";
import { usageProblems } from "./verify/usageProblems";
import { reasonOf } from "../components/model/reasonOf";
import { cosignEnvironment } from "../components/attest/tools";
import { verificationCommands } from "../components/attest/verifyCommands";
import { safeJson, safeText } from "../components/model/safeText";

interface Options {
  readonly key?: string;
  readonly repository?: string;
  readonly workflow: string;
  readonly ref: readonly string[];
  readonly identity?: string;
  readonly issuer: string;
  readonly trustedRoot?: string;
  readonly ignoreTlog?: boolean;
  readonly timestamps?: boolean;
  readonly source?: string;
  readonly commit?: string;
  readonly sbom: boolean;
  readonly provenance: boolean;
  readonly json?: boolean;
}

const limitMs = 120_000;

/** `npm run verify -- <reference>`: verifies a mirrored image end to end. Exit status 0 verified, 1 not, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("verify")
    .description("Verifies a mirrored image: signatures, SBOM of every platform, provenance and mirror record.")
    .argument("<reference>", "image, by tag or digest")
    .addOption(
      new Option("--key <key>", "public key: file, env://NAME or KMS URI").conflicts(["identity", "repository"]),
    )
    .addOption(
      new Option("--repository <owner/name>", "repository on GitHub whose mirror workflow signed").conflicts(
        "identity",
      ),
    )
    .option("--workflow <file>", "the workflow in it", mirrorWorkflow)
    .option("--ref <ref...>", "refs the workflow may have run at", ["refs/heads/main"])
    .option("--identity <subject>", "any other keyless signer: a URL, an address, or a regular expression with ^")
    .option("--issuer <issuer>", "issuer of the keyless signer, likewise", githubIssuer)
    .option("--trusted-root <file>", "trusted root of a private Sigstore")
    .option("--ignore-tlog", "accept signatures that are in no transparency log")
    .option("--timestamps", "rely on signed time stamps")
    .option("--source <url>", "upstream repository the provenance must name")
    .option("--commit <commit>", "upstream commit the provenance must name")
    .option("--no-sbom", "do not ask for SBOMs")
    .option("--no-provenance", "do not ask for provenance and mirror record")
    .option("--json", "print the result as JSON")
    .exitOverride();
  try {
    program.parse(argv, { from: "user" });
    const options = program.opts<Options>();
    const reference = program.args[0] ?? "";
    const problems = usageProblems({ reference, ...options });
    if (problems.length > 0) {
      speaker(process.stderr).text(problems.map((line) => `error: ${safeText(line, 2000)}`).join("\n"));
      return 2;
    }
    const result = await verify(reference, options);
    if (options.json) process.stdout.write(`${safeJson(result.verification, 2)}\n`);
    else report(result.verification, result.commands);
    return result.verification.verified ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    speaker(process.stderr).text(safeText(`not verified: ${reasonOf(error)}`, 2000));
    return 1;
  }
}

async function verify(
  reference: string,
  options: Options,
): Promise<{ verification: ImageVerification; commands: readonly string[] }> {
  const directory = await mkdtemp(join(tmpdir(), "verify-"));
  const client = new RegistryClient();
  const environment = cosignEnvironment(process.env);
  const { key } = options;
  const who = key === undefined ? certificateOf(options) : { publicKey: key.includes("://") ? key : resolve(key) };
  const verifyArguments = verificationArguments(who, {
    ...(options.trustedRoot !== undefined && { trustedRoot: resolve(options.trustedRoot) }),
    transparencyLog: !options.ignoreTlog,
    timestamps: options.timestamps ?? false,
  });
  try {
    const { registry, repository } = parseReference(reference);
    const cosign = new Cosign({ run: runProcess, environment, directory, limitMs, sign: [], verify: verifyArguments });
    const signer = "subject" in who ? who : { publicKey: await publicKeyOf(who.publicKey) };
    const verification = await verifyImage(reference, options, { reader: client, cosign, signer });
    const byDigest = `${registry}/${repository}@${verification.digest}`;
    return { verification, commands: verificationCommands(byDigest, verifyArguments) };
  } finally {
    await client.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function publicKeyOf(key: string): Promise<string> {
  return (await readPublicKey(key, process.env)) ?? askPublicKey(key, process.env, runProcess);
}

function certificateOf({ repository, workflow, ref: refs, identity, issuer }: Options): ExpectedCertificate {
  const issuedBy = textRule(issuer) ?? { exactly: [issuer] };
  if (repository !== undefined) return workflowAt({ repository, workflow, refs }, issuedBy, process.env);
  return { subject: textRule(identity ?? "") ?? { exactly: [] }, issuer: issuedBy };
}

function report(verification: ImageVerification, commands: readonly string[]): void {
  const { reference, digest, verified, checks, signers, notChecked } = verification;
  const lines = [
    `${reference} is ${digest}`,
    ...signers.flatMap(describeSigner),
    ...checks.map(({ what, ok, detail }) => `  ${ok ? "✓" : "✗"} ${what}: ${detail}`),
    ...notChecked.map((what) => `  not checked: ${what}`),
    verified ? "✓ verified" : "✗ NOT VERIFIED",
  ];
  const voice = speaker();
  // Signed text is still somebody's text: no line of it may pass for one of ours.
  voice.text(lines.map((line) => safeText(line, 2000)).join("\n"));
  voice.verbatim(["", "The same by hand:", ...commands.map((command) => `  ${command}`)]);
}

function describeSigner({ certificate, signedAt, logIndexes }: ImageSigner): readonly string[] {
  const log = logIndexes.length > 0 ? `, in the log as ${logIndexes.join(", ")}` : "";
  if (certificate === undefined) return [`  signed by the key${log}`];
  const { subject, issuer, run } = certificate;
  return [
    `  signed by ${subject}`,
    `    issuer ${issuer}${run === undefined ? "" : `, run ${run}`}, ${signedAt ?? "at an unknown time"}${log}`,
  ];
}

// Tools that still run, of a check that failed half-way, end with this process.
void main(process.argv.slice(2)).then((status) => process.exit(status));
