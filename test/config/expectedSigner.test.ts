import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { attestConfigSchema, type Signing } from "../../components/config/attestConfig";
import {
  expectedCertificate,
  expectedSigner,
  type KeylessSigning,
  strangerProblem,
} from "../../components/config/expectedSigner";
import { signingProblems } from "../../components/config/configuration";
import { testKey } from "../attest/bundles";

const directory = mkdtempSync(join(tmpdir(), "signer-"));
const write = (name: string, content: string): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const github = {
  GITHUB_REPOSITORY: "me/mirror",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REF: "refs/heads/main",
};
const run = { ...github, GITHUB_WORKFLOW_REF: "me/mirror/.github/workflows/mirror.yml@refs/heads/main" };
const subjects = (signing: Partial<KeylessSigning>, environment: NodeJS.ProcessEnv) => {
  const { subject } = expectedCertificate({ mode: "keyless", ...signing }, environment);
  return "exactly" in subject ? subject.exactly : subject;
};

const refuse = () => Promise.reject(new Error("nobody is to be asked"));
const nobody = { publicKey: refuse, authorities: refuse };

describe("whose signatures count", () => {
  it("is the mirror's workflow at the default branch of the run's repository, wherever the run itself is", () => {
    const event = write("event.json", JSON.stringify({ repository: { default_branch: "trunk" } }));
    const branch = { ...github, GITHUB_REF: "refs/pull/1/merge", GITHUB_EVENT_PATH: event };
    expect(expectedCertificate({ mode: "keyless" }, branch)).toEqual({
      subject: { exactly: ["https://github.com/me/mirror/.github/workflows/mirror.yml@refs/heads/trunk"] },
      issuer: { exactly: ["https://token.actions.githubusercontent.com"] },
      repository: "me/mirror",
      refs: ["refs/heads/trunk"],
    });
  });

  it("is the branch of a scheduled run, as those run at no other", () => {
    const scheduled = { ...github, GITHUB_EVENT_NAME: "schedule", GITHUB_REF: "refs/heads/master" };
    expect(subjects({}, scheduled)).toEqual([expect.stringMatching(/@refs\/heads\/master$/)]);
  });

  it("is what is configured, away from GitHub too", () => {
    const signing = { repository: "a/b", workflow: ".github/workflows/w.yml", refs: ["refs/heads/x", "refs/tags/y"] };
    expect(subjects(signing, {})).toEqual([
      "https://github.com/a/b/.github/workflows/w.yml@refs/heads/x",
      "https://github.com/a/b/.github/workflows/w.yml@refs/tags/y",
    ]);
    expect(subjects({ identity: "^x$" }, {})).toEqual({ matching: "^x$" });
  });

  it("must be known: without it anybody's signature would do", () => {
    expect(() => expectedCertificate({ mode: "keyless" }, {})).toThrow(/attest\.signing\.repository/);
  });

  it("is a certificate of the authorities in the trusted root, where there is one", async () => {
    const authority = { certChain: { certificates: [{ rawBytes: "QQ==" }, { rawBytes: "Qg==" }] } };
    write("root.json", JSON.stringify({ mediaType: "x", certificateAuthorities: [authority] }));
    const signer = (trustedRoot: string) => expectedSigner({ mode: "keyless", trustedRoot }, directory, github, nobody);
    expect(await signer("root.json")).toMatchObject({ authorities: ["QQ==", "Qg=="], repository: "me/mirror" });
    await expect(signer("gone.json")).rejects.toThrow("gone.json");
  });

  it("is the public key beside the private one, or that in a variable, or else what the key itself or its service gives", async () => {
    const { publicKey } = testKey();
    write("cosign.pub", publicKey);
    const key = (reference: string, other?: string): Signing & { mode: "key" } => ({
      mode: "key",
      key: reference,
      ...(other && { publicKey: other }),
    });
    const at = (signing: Signing & { mode: "key" }, environment = {}) =>
      expectedSigner(signing, directory, environment, nobody);
    expect(await at(key("cosign.key"))).toEqual({ publicKey });
    expect(await at(key("env://K", "env://P"), { P: publicKey })).toEqual({ publicKey });
    await expect(at(key("x", "gone.pub"))).rejects.toThrow("gone.pub");
    const asked: string[] = [];
    const ask = (reference: string) => Promise.resolve(void asked.push(reference)).then(() => publicKey);
    for (const signing of [key("awskms:///a"), key("awskms:///a", "gcpkms://b"), key("alone.key")])
      expect(await expectedSigner(signing, directory, {}, { ...nobody, publicKey: ask })).toEqual({ publicKey });
    expect(asked).toEqual(["awskms:///a", "gcpkms://b", join(directory, "alone.key")]);
  });

  it("is a certificate of the public authorities where the stack names no other", async () => {
    const authorities = () => Promise.resolve(["QQ=="]);
    const signer = expectedSigner({ mode: "keyless" }, directory, github, { ...nobody, authorities });
    expect(await signer).toMatchObject({ authorities: ["QQ=="], repository: "me/mirror" });
  });

  it("is nobody, rather than anybody, when the public key cannot be read", async () => {
    await expect(expectedSigner({ mode: "key", key: "awskms:///a" }, directory, {}, nobody)).rejects.toThrow(
      "nobody is to be asked",
    );
  });
});

describe("a run whose signatures would not count", () => {
  it.each([
    [
      "at another branch",
      { GITHUB_REF: "refs/heads/side", GITHUB_WORKFLOW_REF: run.GITHUB_WORKFLOW_REF.replace("main", "side") },
    ],
    ["of another workflow", { GITHUB_WORKFLOW_REF: run.GITHUB_WORKFLOW_REF.replace("mirror.yml", "release.yml") }],
  ])("is told so before it signs: %s", (_, change) => {
    const problem = strangerProblem({ mode: "keyless" }, { ...run, ...change });
    expect(problem).toContain("accepted is https://github.com/me/mirror/.github/workflows/mirror.yml@refs/heads/main");
    expect(strangerProblem({ mode: "keyless" }, run)).toBeUndefined();
  });

  it("is one of another repository than the one that is named, or at a ref that is not in the list", () => {
    expect(strangerProblem({ mode: "keyless", repository: "other/mirror" }, run)).toContain("other/mirror");
    expect(strangerProblem({ mode: "keyless", identity: "^x", refs: ["refs/heads/x"] }, run)).toContain("refs/heads/x");
    expect(strangerProblem({ mode: "keyless", identity: "^x" }, run)).toBeUndefined();
    expect(strangerProblem({ mode: "key", key: "k" }, run)).toBeUndefined();
  });
});

describe("signing that cannot work", () => {
  const problems = (signing: object, environment: NodeJS.ProcessEnv = run, signs = true) =>
    signingProblems(attestConfigSchema.parse({ signing }), { root: directory, environment, signs });

  it("is told at once: certificates that nothing proves the time of, and files that are not there", () => {
    write("bare.json", "{}");
    write("stamped.json", JSON.stringify({ tsaUrls: [{}] }));
    const keyless = { mode: "keyless", trustedRoot: "root.json" };
    expect(problems({ ...keyless, signingConfig: "bare.json" })).toEqual([expect.stringContaining("ten minutes")]);
    expect(problems({ ...keyless, signingConfig: "absent.json" })).toEqual([expect.stringContaining("absent.json")]);
    expect(problems({ ...keyless, signingConfig: "stamped.json" })).toEqual([]);
    expect(problems({ mode: "key", key: "k", signingConfig: "bare.json" })).toEqual([]);
  });

  it("is told of a run at another ref that signs, and not of a preview there", () => {
    const side = { ...run, GITHUB_REF: "refs/heads/side" };
    expect(problems({ mode: "keyless" }, side)).toEqual([expect.stringContaining("would not verify")]);
    expect(problems({ mode: "keyless" }, side, false)).toEqual([]);
  });

  it("is told where nobody can say whose signatures count", () => {
    expect(problems({ mode: "keyless" }, {})).toEqual([expect.stringContaining("attest.signing.repository")]);
  });
});
