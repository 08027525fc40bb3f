import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runContext } from "../../components/model/runContext";
import {
  askPublicKey,
  signingArguments,
  verificationArguments,
  signingServices,
  missingIdentityToken,
} from "../../components/attest/signing";
import type { RunProcess } from "../../components/system/process";
import { verificationCommands, verifyHint } from "../../components/attest/verifyCommands";

const directory = mkdtempSync(join(tmpdir(), "signing-"));
const file = (name: string, content: object): string => {
  writeFileSync(join(directory, name), JSON.stringify(content));
  return name;
};
const expected = {
  subject: { exactly: ["https://github.com/me/m/.github/workflows/mirror.yml@refs/heads/main"] },
  issuer: { exactly: ["https://token.actions.githubusercontent.com"] },
  repository: "me/m",
  refs: ["refs/heads/main"],
};
const github = { GITHUB_SERVER_URL: "https://github.com", GITHUB_REPOSITORY: "me/mirror.x" };

describe("the public half of a key that only the key or its service has", () => {
  it("is what cosign prints, which gets the password it needs", async () => {
    const calls: unknown[] = [];
    const run: RunProcess = (command, argv, { environment }) => {
      calls.push([command, argv, environment?.["COSIGN_PASSWORD"]]);
      return Promise.resolve({ status: 0, stdout: "PEM", stderr: "" });
    };
    expect(await askPublicKey("awskms:///a", { COSIGN_PASSWORD: "p" }, run)).toBe("PEM");
    expect(calls).toEqual([["cosign", ["public-key", "--key", "awskms:///a"], "p"]]);
  });

  it.each<[string, RunProcess]>([
    ["access denied", () => Promise.resolve({ status: 1, stdout: "", stderr: "Error: access denied" })],
    ["no such program", () => Promise.reject(new Error("no such program"))],
  ])("is not known after: %s, and what to do is said", async (reason, run) => {
    await expect(askPublicKey("awskms:///a", {}, run)).rejects.toThrow(
      new RegExp(`cannot be told, .* name it in attest\\.signing\\.publicKey: .*${reason}`),
    );
  });
});

describe("the services signatures rest on", () => {
  it("are cosign's own when nothing is configured, and the transparency log is checked", async () => {
    const services = await signingServices({ mode: "keyless" }, directory, directory);
    expect(signingArguments({ mode: "keyless" }, services)).toEqual(["--yes", "--fulcio-auth-flow", "token"]);
    expect(verificationArguments({ publicKey: "k" }, services)).toEqual(["--key", "k"]);
  });

  it("are none when so configured, and nothing is fetched over the network", async () => {
    const signing = { mode: "key", key: "k", signingConfig: "none" } as const;
    const services = await signingServices(signing, directory, directory);
    const [config, root] = [join(directory, "signing-config.json"), join(directory, "trusted-root.json")];
    expect(signingArguments(signing, services)).toEqual([
      "--yes",
      "--key",
      "k",
      "--signing-config",
      config,
      "--trusted-root",
      root,
    ]);
    expect(verificationArguments({ publicKey: "p" }, services)).toContain("--insecure-ignore-tlog");
  });

  it("are those of a private Sigstore's files, relative to the project", async () => {
    const signingConfig = file("private.json", { rekorTlogUrls: [{}], tsaUrls: [{}] });
    const signing = { mode: "keyless", signingConfig, trustedRoot: "root.json" } as const;
    const services = await signingServices(signing, directory, "/nowhere");
    expect(signingArguments(signing, services).slice(3)).toEqual([
      "--signing-config",
      join(directory, signingConfig),
      "--trusted-root",
      join(directory, "root.json"),
    ]);
    const verify = verificationArguments({ subject: { matching: "^i" }, issuer: { matching: "^s" } }, services);
    expect(verify).toContain("--use-signed-timestamps");
    expect(verify).not.toContain("--insecure-ignore-tlog");
  });

  it("cannot be told when the file cannot be read, and the error names it", async () => {
    await expect(
      signingServices({ mode: "keyless", signingConfig: "absent.json" }, directory, directory),
    ).rejects.toThrow("absent.json");
  });
});

describe("what cosign is asked to check", () => {
  const none = { transparencyLog: true, timestamps: false };
  it("is the very workflow at its ref, the issuer, and the repository and ref the certificate names besides", () => {
    expect(verificationArguments(expected, none)).toEqual([
      "--certificate-identity",
      "https://github.com/me/m/.github/workflows/mirror.yml@refs/heads/main",
      "--certificate-oidc-issuer",
      "https://token.actions.githubusercontent.com",
      "--certificate-github-workflow-repository",
      "me/m",
      "--certificate-github-workflow-ref",
      "refs/heads/main",
    ]);
  });

  it("is one of several workflows, taken literally", () => {
    const subject = { exactly: ["https://x/a.yml@refs/heads/a+b", "https://x/a.yml@refs/heads/main"] };
    const [flag, pattern] = verificationArguments(
      { ...expected, subject, refs: ["refs/heads/a+b", "refs/heads/main"] },
      none,
    );
    expect(flag).toBe("--certificate-identity-regexp");
    expect(subject.exactly.map((text) => new RegExp(pattern!).test(text))).toEqual([true, true]);
    for (const other of [
      "https://x/a.yml@refs/heads/aab",
      "https://x/a.yml@refs/heads/mainx",
      "https://xxa.yml@refs/heads/main",
    ])
      expect(other).not.toMatch(new RegExp(pattern!));
  });

  it("is shown as what the stack's own services need", () => {
    const path = join(directory, file("stamped.json", { tsaUrls: [{}] }));
    const signing = { mode: "keyless", signingConfig: path, trustedRoot: "root.json", repository: "me/m" } as const;
    const shown = verifyHint({ signing }, {})?.join(" ");
    expect(shown).toContain("--trusted-root root.json --insecure-ignore-tlog --use-signed-timestamps");
  });
});

describe("identity tokens", () => {
  const absent = (): boolean => false;
  it.each([
    [{ ACTIONS_ID_TOKEN_REQUEST_URL: "u", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" }],
    [{ SIGSTORE_ID_TOKEN: "t" }],
    [{ BUILDKITE_AGENT_ACCESS_TOKEN: "t" }],
  ])("are to be had with %j", (environment) => {
    expect(missingIdentityToken(environment, absent)).toBeUndefined();
  });

  it("are missing without any source, and on GitHub the permission is named", () => {
    expect(missingIdentityToken({}, absent)).toContain("SIGSTORE_ID_TOKEN");
    expect(missingIdentityToken({ ACTIONS_ID_TOKEN_REQUEST_URL: "u" }, absent)).toBeDefined();
    expect(missingIdentityToken({ GITHUB_ACTIONS: "true" }, absent)).toContain("id-token: write");
    expect(missingIdentityToken({}, () => true)).toBeUndefined();
  });
});

describe("who builds", () => {
  it("is the workflow and the run on GitHub Actions", () => {
    const environment = {
      ...github,
      GITHUB_RUN_ID: "7",
      GITHUB_RUN_ATTEMPT: "2",
      GITHUB_SHA: "e".repeat(40),
      GITHUB_WORKFLOW_REF: "me/mirror.x/.github/workflows/a.yml@refs/heads/main",
      GITHUB_WORKFLOW_SHA: "d".repeat(40),
    };
    // What is checked out is the recipe, whatever commit the event was about.
    const checkedOut = { repository: "https://github.com/me/mirror.x", commit: "c".repeat(40) };
    expect(runContext(environment, "2026-01-01T00:00:00Z", checkedOut)).toEqual({
      builder: { id: `https://github.com/me/mirror.x/.github/workflows/a.yml@${"d".repeat(40)}` },
      run: {
        invocationId: "https://github.com/me/mirror.x/actions/runs/7/attempts/2",
        startedOn: "2026-01-01T00:00:00Z",
      },
      project: checkedOut,
    });
  });

  it.each([
    ["a commit", "f".repeat(40), { repository: "https://github.com/mirrors/multiarch", commit: "f".repeat(40) }],
    ["a branch, which is no commit", "main", undefined],
  ])("takes the recipe from the mirror's own repository when it is an action at %s", (_, ref, project) => {
    const environment = {
      ...github,
      GITHUB_RUN_ID: "7",
      GITHUB_SHA: "e".repeat(40),
      GITHUB_WORKFLOW_REF: "me/mirror.x/.github/workflows/a.yml@refs/heads/main",
      MIRROR_PROJECT_PATH: `/home/runner/work/_actions/mirrors/multiarch/${ref}`,
    };
    expect(runContext(environment, "2026-01-01T00:00:00Z").project).toEqual(project);
  });

  it("is the project elsewhere, without an invocation", () => {
    expect(runContext({}, "2026-01-01T00:00:00Z")).toEqual({
      builder: { id: "https://multiarch-mirror.github.io/builder/v1" },
      run: { startedOn: "2026-01-01T00:00:00Z" },
    });
  });
});

describe("the commands shown to people", () => {
  it("quote what a shell would take apart", () => {
    const commands = verificationCommands("r/a@sha256:0", ["--certificate-identity-regexp", "^https://x/(a|b)'$"]);
    expect(commands[0]).toBe(`cosign verify --certificate-identity-regexp '^https://x/(a|b)'\\''$' r/a@sha256:0`);
    expect(commands).toHaveLength(4);
  });
});
