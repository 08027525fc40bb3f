import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { versionSchema, type CatalogueVersion } from "../../commands/catalogue/schema";
import { writeCatalogue } from "../../commands/catalogue/writeCatalogue";
import { planVariable } from "../../components/attest/attestPlan";
import { imageScanner } from "../../components/attest/makeSbom";
import { attestConfigSchema } from "../../components/config/attestConfig";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { Digest } from "../../components/model/digest";
import { type Platform, platformEntries, platformSlug } from "../../components/model/platform";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { writeDebianLayout } from "../attest/debianLayout";
import { exampleBuild, exampleRecord } from "../attest/fixtures";

const root = join(__dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "catalogue-e2e-"));
const apps: readonly AppSpecification[] = [
  { name: "app", source: { kind: "gitTags", url: "https://example.org/app.git" } },
];

let sandbox: Sandbox;
let environment: NodeJS.ProcessEnv;
let repository: string;
let image: { readonly index: Digest; readonly platforms: Readonly<Record<Platform, Digest>> };

function tool(command: string, ...argv: string[]): Promise<{ readonly status: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    execFile(command, argv, { env: environment, cwd: root, maxBuffer: 1 << 26 }, (error, stdout) =>
      resolve({ status: error ? Number(error.code ?? 128) : 0, stdout }),
    );
  });
}

/** What another client says, as JSON. */
async function regctl(...argv: string[]): Promise<Record<string, never>> {
  return JSON.parse((await tool("regctl", ...argv)).stdout) as Record<string, never>;
}

function signing() {
  return { mode: "key", key: environment["MIRROR_SANDBOX_COSIGN_KEY"], signingConfig: "none" };
}

async function attest(): Promise<void> {
  const scan = imageScanner(attestConfigSchema.parse({ signing: signing() }), environment);
  const sboms: Record<string, string> = {};
  for (const [platform, digest] of platformEntries(image.platforms)) {
    const file = join(folder, `${platformSlug(platform)}.spdx.json`);
    writeFileSync(file, await scan({ repository, digest, platform }));
    sboms[platform] = file;
  }
  const records = platformEntries(image.platforms).map(([platform, digest]) =>
    exampleBuild(platform as "linux/amd64", { image: { repository, digest } }),
  );
  const plan = {
    ...{ repository, indexDigest: image.index, version: exampleRecord.version, tag: exampleRecord.tag },
    ...{ config: { signing: signing() }, known: Object.values(image.platforms), labels: {}, sboms },
    startedOn: "2026-01-01T00:00:00Z",
  };
  const child = spawn("node", ["components/attest/launch.cjs", "attest"], {
    cwd: root,
    env: { ...environment, [planVariable]: JSON.stringify(plan) },
  });
  child.stdin.end(JSON.stringify(composeVersionRecord({ ...exampleRecord, repository, records, present: {} })));
  const closed = new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 128)));
  const [said, status] = await Promise.all([text(child.stderr), closed]);
  expect([status, said]).toEqual([0, ""]);
}

beforeAll(async () => {
  sandbox = await startSandbox({ dir: join(folder, "sandbox"), registry: "olareg", builders: {} });
  environment = { ...process.env, ...sandbox.env, HOME: folder, MIRROR_CACHE: join(folder, "cache") };
  repository = `${sandbox.urls.registry}/mirror/app`;
  image = await writeDebianLayout(join(folder, "layout"));
  for (const tag of ["1.2.3", "1.2", "latest"])
    await tool("regctl", "image", "copy", `ocidir://${join(folder, "layout")}:1.0.0`, `${repository}:${tag}`);
  await attest();
  // The same bytes as a version of their own: what is signed is about another tag.
  await tool("regctl", "image", "copy", `${repository}:1.2.3`, `${repository}:1.3.0`);
  const own = { registry: sandbox.urls.registry, namespace: "mirror", apps: ["app"], attest: { signing: signing() } };
  const config = Object.fromEntries(Object.entries(own).map(([key, value]) => [`multiarch-mirror:${key}`, value]));
  // JSON is YAML.
  writeFileSync(join(folder, "Pulumi.test.yaml"), JSON.stringify({ config }));
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function catalogue(path = environment["PATH"]): Promise<void> {
  const request = {
    ...{ stack: "test", configFile: join(folder, "Pulumi.test.yaml"), out: join(folder, "site"), results: [] },
    acceptShrunken: false,
  };
  const context = { root, now: new Date(), progress: () => undefined, apps };
  await writeCatalogue(request, { ...context, environment: { ...environment, PATH: path } });
}

function version(tag: string): CatalogueVersion {
  return versionSchema.parse(JSON.parse(readFileSync(join(folder, "site", "app", `${tag}.json`), "utf8")));
}

describe("the catalogue of a real registry", () => {
  it("says of digests, sizes, configuration and layers what regctl says", async () => {
    await catalogue();
    const { digest, platforms, tags } = version("1.2.3");
    expect((await tool("regctl", "image", "digest", `${repository}:1.2.3`)).stdout.trim()).toBe(digest);
    expect(tags).toEqual(["1.2", "1.2.3", "1.3.0", "latest"]);
    expect(platforms.map((one) => one.platform)).toEqual(["linux/amd64", "linux/arm64"]);
    for (const one of platforms) {
      const reference = `${repository}@${one.digest}`;
      const manifest = await regctl("manifest", "get", "--format", "raw-body", reference);
      const { config, layers } = manifest as unknown as {
        config: { size: number };
        layers: { size: number; digest: string }[];
      };
      expect(one.size).toBe(layers.reduce((sum, layer) => sum + layer.size, config.size));
      expect(one.layers.flatMap((layer) => layer.digest ?? [])).toEqual(layers.map((layer) => layer.digest));
      const told = (await regctl("image", "inspect", reference)) as unknown as {
        architecture: string;
        created: string;
        config: Record<"Labels" | "ExposedPorts" | "Volumes", object> &
          Record<"Entrypoint" | "Cmd" | "Env", string[]> &
          Record<"User" | "WorkingDir", string>;
        history: { created_by: string; created: string; empty_layer?: boolean }[];
      };
      const { config: runs } = told;
      expect(one).toMatchObject({
        ...{ platform: `linux/${told.architecture}`, created: told.created, labels: runs.Labels },
        ...{ entrypoint: runs.Entrypoint, command: runs.Cmd, environment: runs.Env },
        ...{ user: runs.User, workingDirectory: runs.WorkingDir },
        volumes: Object.keys(runs.Volumes),
      });
      expect(one.ports.toSorted()).toEqual(Object.keys(runs.ExposedPorts).toSorted());
      expect(one.layers.map(({ command, created, digest }) => [command, created, digest === undefined])).toEqual(
        told.history.map((step) => [step.created_by, step.created, step.empty_layer === true]),
      );
    }
  });

  it("says of signatures what cosign says, and no more", async () => {
    const { proof, platforms } = version("1.2.3");
    expect(proof).toMatchObject({ state: "verified", identity: "the key in cosign.pub" });
    expect(platforms.map(({ signed, origin }) => [signed, origin])).toEqual([
      [true, "built"],
      [true, "built"],
    ]);
    expect(proof.commands.length).toBe(4);
    for (const command of proof.commands) {
      const [program = "", ...argv] = command.split(" ");
      const inSite = argv.map((word) => (word === "cosign.pub" ? join(folder, "site", "cosign.pub") : word));
      expect([command, (await tool(program, ...inSite)).status]).toEqual([command, 0]);
    }
    // Signed, but as another version.
    expect(version("1.3.0").proof.state).toBe("failed");
    expect(version("1.3.0").proof.checks.filter(({ ok }) => !ok)).toMatchObject([
      { what: "mirror record", detail: expect.stringContaining("it is about 1.2.3") as string },
    ]);
    const page = readFileSync(join(folder, "site", "app", "1.2.3", "index.html"), "utf8");
    expect(page).toContain('href="../../cosign.pub"');
    expect(page).toMatch(/by the catalogue&#39;s run at <time[^>]*>[^<]*<\/time>, accepting signatures of/);
  });

  it("lists the packages syft finds, each for its platform, and offers the document cosign verifies", async () => {
    const { packages, platforms } = version("1.2.3");
    for (const { platform, digest, sbom } of platforms) {
      const scanned = await tool(
        "syft",
        "scan",
        "--quiet",
        "--output",
        "json",
        "--platform",
        platform,
        `registry:${repository}@${digest}`,
      );
      const { artifacts } = JSON.parse(scanned.stdout) as { artifacts: { name: string; version: string }[] };
      const listed = packages.filter((one) => one.platforms === undefined || one.platforms.includes(platform));
      const names = (all: readonly { name: string; version: string }[]) =>
        all.map((one) => `${one.name} ${one.version}`).toSorted();
      expect(artifacts.length).toBeGreaterThan(0);
      expect(names(listed)).toEqual(names(artifacts));
      expect(sbom?.packages).toBe(artifacts.length);
      const offered = JSON.parse(readFileSync(join(folder, "site", "app", "1.2.3", sbom?.file ?? ""), "utf8")) as {
        name: string;
      };
      expect(offered.name).toBe(`${repository}@${digest} (${platform})`);
    }
  });

  it("has what the signed records say of the build, and of the checks", () => {
    const [amd64] = version("1.2.3").platforms;
    const { upstream, run, dockerfile, checks, bases } = exampleBuild("linux/amd64");
    expect(amd64?.build).toMatchObject({ commit: upstream.commit, dockerfile, run: run.invocationId, bases });
    expect(amd64?.checks).toEqual({ at: run.finishedOn, programs: checks.programs, smoke: checks.smoke?.command });
    expect(version("1.2.3").published).toBe(run.finishedOn);
  });

  it("keeps a verdict with its time, and its feed's ids, from one catalogue to the next", async () => {
    const [before, feed] = [version("1.2.3"), readFileSync(join(folder, "site", "feed.xml"), "utf8")];
    await catalogue();
    expect(version("1.2.3")).toEqual(before);
    expect(readFileSync(join(folder, "site", "feed.xml"), "utf8")).toBe(feed);
  });

  it("says that nothing was checked where there is no cosign, whatever was known before", async () => {
    await catalogue(join(folder, "no-such-folder"));
    const { proof, platforms, packages } = version("1.2.3");
    expect(proof).toMatchObject({
      state: "not checked",
      reason: "cosign is not installed where the catalogue was made",
    });
    expect(platforms.map(({ signed, origin, sbom }) => [signed, origin, sbom])).toEqual([
      [undefined, "published", undefined],
      [undefined, "published", undefined],
    ]);
    expect(packages).toEqual([]);
  });

  it("calls unsigned what another key signed", async () => {
    await tool("cosign", "generate-key-pair", "--output-key-prefix", join(folder, "other"));
    const before = environment;
    environment = { ...environment, MIRROR_SANDBOX_COSIGN_KEY: join(folder, "other.key") };
    const own = { registry: sandbox.urls.registry, namespace: "mirror", apps: ["app"], attest: { signing: signing() } };
    const config = Object.fromEntries(Object.entries(own).map(([key, value]) => [`multiarch-mirror:${key}`, value]));
    writeFileSync(join(folder, "Pulumi.test.yaml"), JSON.stringify({ config }));
    await catalogue();
    environment = before;
    expect(version("1.2.3")).toMatchObject({ proof: { state: "unsigned", signers: [] }, packages: [] });
    expect(version("1.2.3").platforms.map(({ signed, origin }) => [signed, origin])).toEqual([
      [false, "published"],
      [false, "published"],
    ]);
  });
});
