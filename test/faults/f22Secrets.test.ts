import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";

const execute = promisify(execFile);

const secrets = {
  registry: "canary-registry-7Qm2",
  passphrase: "canary-passphrase-x9Lw",
  cosign: "canary-cosign-Tk4e",
  wrongCosign: "canary-mistyped-Zr8u",
  github: "canary-github-Vb3o",
  vault: "canary-vault-Ny6s",
} as const;

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: { authentication: { mode: "basic", user: "robot", password: secrets.registry } },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
      await tinyUpstream(sandbox, "upstream/listed", [{ version: "2.0.0" }]);
      sandbox.setReleases("upstream/listed", [{ tag_name: "v2.0.0" }]);
      const listed = tinyAppFile(sandbox, "listed").replace(
        /source: .*/,
        'source: { kind: "githubReleases", repository: "upstream/listed" },',
      );
      return { tiny: tinyAppFile(sandbox, "tiny"), listed: listed.replace(/ {2}smoke: .*\n/, "") };
    },
  });
  Object.assign(mirror.sandbox.env, { PULUMI_CONFIG_PASSPHRASE: secrets.passphrase });
  rmSync(join(mirror.program, "Pulumi.test.yaml"));
  mirror.configure({
    apps: { tiny: {}, listed: { repository: `${mirror.sandbox.urls.git}/upstream/listed.git` } },
  });
  await mirror.loseState();
});

afterAll(() => mirror?.stop());

it("F22 no secret gets into logs, summaries, previews, state, images or attestations, whatever fails", async () => {
  const prefix = join(mirror.sandbox.folder, "keys", "guarded");
  const environment = {
    COSIGN_PASSWORD: secrets.cosign,
    GITHUB_TOKEN: secrets.github,
    // The sandbox takes every token for a workflow's, which has no owner.
    GITHUB_OWNER: "upstream",
    VAULT_TOKEN: secrets.vault,
    VAULT_ADDR: mirror.sandbox.urls.files,
    MIRROR_REPORT: join(mirror.sandbox.folder, "logs", "report.json"),
  };
  await execute("cosign", ["generate-key-pair", "--output-key-prefix", prefix], {
    env: mirror.environment(environment),
  });
  const guarded = { mode: "key", key: `${prefix}.key`, publicKey: `${prefix}.pub`, signingConfig: "none" };
  mirror.configure({ attest: { signing: guarded } });

  const outputs: string[] = [];
  const step = async (command: "preview" | "up", more: Readonly<Record<string, string>> = {}): Promise<string> => {
    // Of a look there is no event log.
    const how = command === "preview" ? { through: "pulumi" as const } : {};
    const run = await mirror[command]({ environment: { ...environment, ...more }, ...how });
    mirror.sandbox.clearRules();
    outputs.push(run.output, JSON.stringify(run.diagnostics));
    return errorsOf(run);
  };
  mirror.sandbox.setRules([
    { part: "registry", method: "PUT", path: "/manifests/", status: 500 },
    { part: "releases", path: "/releases", status: 401, body: { message: "Bad credentials" } },
  ]);
  expect(await step("up")).toMatch(/^listed: .*401/m);
  expect(await step("up", { COSIGN_PASSWORD: secrets.wrongCosign })).toMatch(/cosign/);
  mirror.configure({ attest: { signing: { mode: "key", key: "hashivault://mirror", signingConfig: "none" } } });
  mirror.sandbox.setRules([{ part: "files", path: "^/v1/", status: 403, body: "denied" }]);
  expect(await step("up")).toMatch(/cosign/);
  mirror.configure({ attest: { signing: guarded } });
  expect(await step("preview")).toBe("");
  expect(await step("up")).toBe("");
  expect(await mirror.registry.tags("listed")).toContain("2.0.0");

  writeFileSync(join(mirror.sandbox.folder, "logs", "outputs.txt"), outputs.join("\n"));
  writeFileSync(join(mirror.sandbox.folder, "logs", "state.json"), await mirror.pulumi("stack", "export"));
  const folder = join(mirror.program, "..");
  const events = readdirSync(folder).filter((name) => name.startsWith("events-"));
  expect(events).toHaveLength(5);
  const searched = [
    ...["logs", "pulumi", "registry"].flatMap((part) => filesIn(join(mirror.sandbox.folder, part))),
    ...[join(mirror.program, "Pulumi.test.yaml"), ...events.map((name) => join(folder, name))],
  ];
  expect(searched.length).toBeGreaterThan(100);
  expect(searched.flatMap(found)).toEqual([]);
  // What the search can find: the password clients log in with.
  expect(found(join(mirror.sandbox.folder, "docker", "config.json"))).toHaveLength(1);
});

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The secrets a file holds, as they are or in base64, at whatever place of a longer text. */
function found(file: string): readonly string[] {
  const content = readFileSync(file, "latin1");
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const encoded = [0, 1, 2].map((offset) =>
      Buffer.from(`${"x".repeat(offset)}${secret}`)
        .toString("base64")
        .slice(offset === 0 ? 0 : 4, -4),
    );
    return [secret, ...encoded].some((form) => content.includes(form)) ? [`${name} in ${file}`] : [];
  });
}
