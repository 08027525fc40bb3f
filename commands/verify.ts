import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { Cosign } from "../components/attest/cosign";
import { type ImageVerification, verifyImage } from "../components/attest/imageVerification";
import { verificationArguments } from "../components/attest/signing";
import { runProcess } from "../components/system/process";
import { parseReference } from "../components/model/reference";
import { RegistryClient } from "../components/registry/registryClient";
import { usageProblems } from "./verify/usageProblems";
import { reasonOf } from "../components/model/reasonOf";
import { cosignEnvironment } from "../components/attest/tools";
import { verificationCommands } from "../components/attest/verifyCommands";
import { safeText } from "../components/model/safeText";

interface Options {
  readonly key?: string;
  readonly identity?: string;
  readonly issuer: string;
  readonly trustedRoot?: string;
  readonly ignoreTlog?: boolean;
  readonly timestamps?: boolean;
  readonly repository?: string;
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
    .addOption(new Option("--key <key>", "public key: file, env://NAME or KMS URI").conflicts("identity"))
    .option("--identity <regexp>", "identity of the keyless signer, a regular expression that begins with ^")
    .option("--issuer <regexp>", "issuer of the keyless signer", "^https://token\\.actions\\.githubusercontent\\.com$")
    .option("--trusted-root <file>", "trusted root of a private Sigstore")
    .option("--ignore-tlog", "accept signatures that are in no transparency log")
    .option("--timestamps", "rely on signed time stamps")
    .option("--repository <url>", "upstream repository the provenance must name")
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
    if (problems.length > 0) program.error(problems.map((line) => `error: ${shown(line)}`).join("\n"), { exitCode: 2 });
    const result = await verify(reference, options);
    process.stdout.write(
      options.json ? `${JSON.stringify(result.verification, null, 2)}\n` : report(result.verification, result.commands),
    );
    return result.verification.verified ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`not verified: ${shown(reasonOf(error))}\n`);
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
  const { key, identity = "", issuer } = options;
  const certificate = { subject: { matching: identity }, issuer: { matching: issuer } };
  const who = key === undefined ? certificate : { publicKey: key.includes("://") ? key : resolve(key) };
  const verifyArguments = verificationArguments(who, {
    ...(options.trustedRoot !== undefined && { trustedRoot: resolve(options.trustedRoot) }),
    transparencyLog: !options.ignoreTlog,
    timestamps: options.timestamps ?? false,
  });
  try {
    const { registry, repository } = parseReference(reference);
    const name = `${registry}/${repository}`;
    const probe = await client.probe(reference);
    const cosign = new Cosign({ run: runProcess, environment, directory, limitMs, sign: [], verify: verifyArguments });
    const verification = await verifyImage(reference, name, probe, cosign, options);
    return { verification, commands: verificationCommands(`${name}@${verification.digest}`, verifyArguments) };
  } finally {
    await client.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function report({ reference, digest, verified, checks }: ImageVerification, commands: readonly string[]): string {
  const lines = checks.map(({ what, ok, detail }) => `  ${ok ? "ok  " : "FAIL"}  ${shown(what)}: ${shown(detail)}`);
  const byHand = ["The same by hand:", ...commands.map((command) => `  ${command}`)];
  return [`${reference} is ${digest}`, ...lines, verified ? "verified" : "NOT VERIFIED", "", ...byHand, ""].join("\n");
}

/** Signed text is still somebody's text: nothing in it may steer the terminal. */
function shown(text: string): string {
  return safeText(text, 2000);
}

// Tools that still run, of a check that failed half-way, end with this process.
void main(process.argv.slice(2)).then((status) => process.exit(status));
