import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { ImageVerification } from "../../commands/verify/imageVerification";
import { PrivateSigstore, services } from "../../tools/sigstore/sigstore";
import type { TokenChanges } from "../../tools/sigstore/tokenIssuer";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { errorsOf, type PulumiRun } from "./support/pulumiRun";
import { tinyApp, tinyUpstream } from "./support/tinyUpstream";

/*
 * Keyless signing as GitHub's runs do it, against a Sigstore of its own: Fulcio and the log of its certificates, a timestamp authority, Rekor.
 * Only who says "this is a run of acme/mirror" is a stand-in.
 */

const root = join(__dirname, "../..");
const subject = "https://github.com/acme/mirror/.github/workflows/mirror.yml@refs/heads/main";
const strangersWorkflow = "acme/mirror/.github/workflows/other.yml@refs/heads/main";

let folder: string;
let sigstore: PrivateSigstore;
let mirror: MirrorUnderTest;
/** Each test signs a version of its own. */
let patch = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyless-"));
  sigstore = await PrivateSigstore.start(join(folder, "sigstore"));
  mirror = await MirrorUnderTest.start({
    apps: tinyApp("1.0.0"),
    settings: { keep: 1, attest: { signing: signing() } },
  });
});
afterEach(() => {
  sigstore.issuer.changes = {};
});
afterAll(async () => {
  await mirror?.stop();
  await sigstore?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const signing = (more: object = {}) => ({
  mode: "keyless",
  issuer: sigstore.issuer.url,
  signingConfig: sigstore.signingConfig,
  trustedRoot: sigstore.trustedRoot,
  ...more,
});
const up = (environment: Readonly<Record<string, string>> = {}): Promise<PulumiRun> =>
  mirror.up({ environment: { ...sigstore.issuer.environment, ...environment } });

/** Releases the next version upstream. */
async function release(): Promise<string> {
  const version = `1.0.${(patch += 1)}`;
  await tinyUpstream(mirror.sandbox, "tiny", [{ version }]);
  return version;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const command = (program: string, ...argv: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(program, argv, { env: mirror.environment(), cwd: root }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? 128) : 0, stdout, stderr }),
    );
  });

/** `npm run verify`, as docs/consumers.md says for a Sigstore of one's own. */
async function verify(name: string, ...argv: readonly string[]): Promise<ImageVerification> {
  const whose = ["--issuer", sigstore.issuer.url, "--trusted-root", sigstore.trustedRoot, "--timestamps"];
  const words = ["tools/run.cjs", "commands/verify.ts", name, ...whose, ...argv, "--json"];
  const { stdout, stderr, status } = await command(process.execPath, ...words);
  expect(stdout, stderr).not.toBe("");
  const verification = JSON.parse(stdout) as ImageVerification;
  expect(status).toBe(verification.verified ? 0 : 1);
  return verification;
}

const whole = (name: string) => verify(name, "--repository", "acme/mirror");
const image = (reference: string) => mirror.registry.name("tiny", reference);

it("signs what it builds, and verify says by which workflow and run, in which log", async () => {
  const run = await up();
  expect(errorsOf(run)).toBe("");
  expect(run.exitCode).toBe(0);
  const verification = await whole(image("1.0.0"));
  expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
  const [signer] = verification.signers;
  expect(signer?.certificate).toMatchObject({
    subject,
    issuer: sigstore.issuer.url,
    repository: "acme/mirror",
    ref: "refs/heads/main",
    run: "https://github.com/acme/mirror/actions/runs/424242/attempts/2",
  });
  expect(signer?.logIndexes).toHaveLength(1);
  expect(Date.now() - Date.parse(signer?.signedAt ?? "")).toBeLessThan(3_600_000);
  const { platforms } = await mirror.registry.index("tiny", "1.0.0");
  for (const digest of Object.values(platforms)) expect((await whole(image(digest))).verified).toBe(true);
});

it("signs nothing in a second run, which asks no service", async () => {
  await Promise.all(services.map((service) => sigstore.down(service)));
  const run = await up();
  for (const service of ["tesseract", "fulcio", "timestamp-server", "rekor-server"] as const)
    await sigstore.up(service);
  expect(errorsOf(run)).toBe("");
  expect(run.exitCode).toBe(0);
});

it.each([
  ["another repository", ["--repository", "acme/stranger"], "signed by"],
  ["another workflow", ["--repository", "acme/mirror", "--workflow", ".github/workflows/other.yml"], "signed by"],
  ["another branch", ["--repository", "acme/mirror", "--ref", "refs/heads/side"], "signed by"],
  ["another issuer", ["--repository", "acme/mirror", "--issuer", "https://issuer.example.org"], "its issuer is"],
  ["another identity", ["--identity", "^https://github\\.com/acme/stranger/"], "signed by"],
])("verifies under no other expectation: %s", async (_, argv, problem) => {
  const { checks, verified } = await verify(image("1.0.0"), ...argv, "--no-sbom", "--no-provenance");
  expect(verified).toBe(false);
  const signatures = checks.filter(({ what }) => what.startsWith("signature "));
  expect(signatures.map(({ ok }) => ok)).toEqual([false, false, false]);
  expect(signatures[0]?.detail).toContain(problem);
});

/** The commands of the section about verifying in docs/consumers.md, one a line, for an image of `acme/mirror` and this Sigstore. */
function commandsOfPage(reference: string, repository = "acme/mirror"): readonly string[] {
  const section =
    readFileSync(join(root, "docs/consumers.md"), "utf8").split("## Verifying an image")[1]?.split("\n## ")[0] ?? "";
  const lines = section.replaceAll(" \\\n", " ").split("\n");
  const shown = lines.filter((line) => line.startsWith("    ")).map((line) => line.trim());
  const options = /--certificate-identity .*/.exec(shown.find((line) => line.startsWith("cosign verify ")) ?? "")?.[0];
  const own = `--trusted-root ${sigstore.trustedRoot}`;
  return shown.map((line) =>
    line
      .replace("...", options ?? "")
      .replaceAll("OWNER/multiarch-mirror", repository)
      .replace("https://token.actions.githubusercontent.com", sigstore.issuer.url)
      .replace(
        /^npm run verify -- (\S+)/,
        `npm run --silent verify -- ${reference} --issuer ${sigstore.issuer.url} ${own} --timestamps`,
      )
      .replace(/^(cosign .*)IMAGE/, `$1${reference} ${own}`),
  );
}

it("verifies with the commands of the page for consumers, as an index and as a platform, and refuses them for a stranger's", async () => {
  const index = await mirror.registry.index("tiny", "1.0.0");
  const references = [image(index.digest), image(index.platforms["linux/arm64"] ?? "")];
  for (const reference of references) {
    const commands = commandsOfPage(reference);
    expect(commands).toHaveLength(5);
    for (const line of commands) {
      // What describes the version as a whole is on the index.
      if (reference !== references[0] && /--type (slsa|https)/.test(line)) continue;
      const { status, stderr } = await command("sh", "-c", line);
      expect(status, `${line}\n${stderr}`).toBe(0);
    }
    for (const line of commandsOfPage(reference, "acme/stranger")) {
      expect((await command("sh", "-c", line)).status, line).not.toBe(0);
    }
  }
});

it("prints commands that plain cosign accepts", async () => {
  const reference = image((await mirror.registry.index("tiny", "1.0.0")).digest);
  const words = ["--issuer", sigstore.issuer.url, "--trusted-root", sigstore.trustedRoot, "--timestamps"];
  const verifying = ["tools/run.cjs", "commands/verify.ts", reference, "--repository", "acme/mirror", ...words];
  const { stdout } = await command(process.execPath, ...verifying);
  const printed = stdout.split("\n").filter((line) => line.startsWith("  cosign "));
  expect(printed).toHaveLength(4);
  for (const line of printed) expect((await command("sh", "-c", line)).status, line).toBe(0);
});

it("counts for nothing what others sign, and says what is wrong with a token, in every run, until one makes it good", async () => {
  const version = await release();
  const other = { job_workflow_ref: strangersWorkflow, workflow_ref: strangersWorkflow };
  const faults: readonly (readonly [TokenChanges, RegExp])[] = [
    [{ claims: other }, /other\.yml/],
    [{ claims: other }, /other\.yml/],
    [{ claims: { repository: "acme/stranger" } }, /acme\/stranger/],
    [{ expiredFor: 60 }, /token/i],
    [{ status: 500 }, /OIDC|token/i],
  ];
  for (const [changes, reason] of faults) {
    sigstore.issuer.changes = changes;
    const run = await up();
    expect(run.exitCode, run.output).not.toBe(0);
    expect(errorsOf(run)).toMatch(reason);
  }
  sigstore.issuer.changes = {};
  expect(errorsOf(await up())).toBe("");
  expect((await whole(image(version))).verified).toBe(true);
});

it("signs as the workflow of another repository that uses the mirror as an action, and verifies as that only", async () => {
  const version = await release();
  const workflow = "caller/app/.github/workflows/mirror.yml@refs/heads/main";
  sigstore.issuer.changes = {
    claims: { repository: "caller/app", workflow_ref: workflow, job_workflow_ref: workflow },
  };
  const run = await up({ GITHUB_REPOSITORY: "caller/app", GITHUB_WORKFLOW_REF: workflow });
  expect(errorsOf(run)).toBe("");
  expect((await verify(image(version), "--repository", "caller/app")).verified).toBe(true);
  expect((await whole(image(version))).verified).toBe(false);
});

it("refuses to publish at another ref or in another workflow before anything is built or signed", async () => {
  const version = await release();
  mirror.mark();
  const side = {
    GITHUB_EVENT_NAME: "workflow_dispatch",
    GITHUB_REF: "refs/heads/side",
    GITHUB_WORKFLOW_REF: subject.slice(19).replace("heads/main", "heads/side"),
  };
  const run = await up(side);
  expect(run.exitCode).not.toBe(0);
  expect(run.output).toContain(`accepted is ${subject}`);
  expect(mirror.writes()).toEqual([]);
  expect((await mirror.preview({ environment: { ...sigstore.issuer.environment, ...side } })).exitCode).toBe(0);
  expect((await up()).exitCode).toBe(0);
  expect((await whole(image(version))).verified).toBe(true);
});
