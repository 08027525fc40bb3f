import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attestConfigSchema, wantedAttestations } from "../../components/config/attestConfig";
import { planVariable } from "../../components/attest/attestPlan";
import { bundleManifest } from "../../components/attest/bundleManifest";
import { cosignTypes, predicateTypes } from "../../components/model/attestationKind";
import type { Digest } from "../../components/model/digest";
import { type Platform, platformEntries, platformSlug } from "../../components/model/platform";
import { RegistryClient } from "../../components/registry/registryClient";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { startSandbox } from "../../tools/sandbox/startSandbox";
import { writeDebianLayout } from "../attest/debianLayout";
import { exampleBuild, exampleRecord } from "../attest/fixtures";
import { describeMissing } from "../../components/decide/attestationMode";
import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import type { VersionRecord } from "../../components/model/versionRecord";
import { attachedLists, missingAttestations } from "../../components/probe/attachedAttestations";
import { imageScanner } from "../../components/attest/makeSbom";

const root = join(__dirname, "../..");
const none: Digest = `sha256:${"0".repeat(64)}`;

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(["distribution", "olareg"] as const)(
  "attestations in a %s registry, with real cosign and syft",
  (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "attestation-e2e-"));
    let sandbox: Sandbox;
    let client: RegistryClient;
    let image: { readonly index: Digest; readonly platforms: Readonly<Record<string, Digest>> };
    let repository: string;
    let environment: NodeJS.ProcessEnv;
    /** Made where the images are built, and handed over. */
    const sboms = new Map<Platform, string>();

    beforeAll(async () => {
      sandbox = await startSandbox({ dir: join(folder, "sandbox"), registry: kind, builders: {} });
      environment = { ...process.env, ...sandbox.env, HOME: folder };
      client = new RegistryClient({ environment });
      repository = `${sandbox.urls.registry}/mirror/app`;
      image = await writeDebianLayout(join(folder, "layout"));
      expect(
        await tool("regctl", "image", "copy", `ocidir://${join(folder, "layout")}:1.0.0`, `${repository}:1.0.0`),
      ).toMatchObject({ status: 0 });
      const scan = imageScanner(attestConfigSchema.parse(config()), environment);
      for (const [platform, digest] of platformEntries(image.platforms)) {
        const file = join(folder, `${platformSlug(platform)}.spdx.json`);
        writeFileSync(file, await scan({ repository, digest, platform }));
        sboms.set(platform, file);
      }
    });
    afterAll(async () => {
      await client?.close();
      await sandbox?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const tool = (command: string, ...argv: string[]): Promise<Ended> =>
      new Promise((resolve) => {
        execFile(command, argv, { env: environment, cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
          resolve({ status: error ? Number(error.code ?? 128) : 0, stdout, stderr }),
        );
      });
    const key = (): string => sandbox.env["MIRROR_SANDBOX_COSIGN_PUB"] ?? "";
    const config = () => ({
      signing: { mode: "key", key: sandbox.env["MIRROR_SANDBOX_COSIGN_KEY"], signingConfig: "none" },
    });
    /** As of a run that built both platforms. */
    const record = (): VersionRecord => {
      const records = (["linux/amd64", "linux/arm64"] as const).map((platform) => {
        const digest = image.platforms[platform];
        if (!digest) throw new Error(`the image has no ${platform}`);
        return exampleBuild(platform, { image: { repository, digest } });
      });
      return composeVersionRecord({ ...exampleRecord, repository, records, present: {} });
    };
    const attest = async (change: object = {}): Promise<Ended> => {
      const plan = {
        repository,
        indexDigest: image.index,
        version: exampleRecord.version,
        tag: exampleRecord.tag,
        labels: {},
        config: config(),
        known: Object.values(image.platforms),
        sboms: Object.fromEntries(sboms),
        startedOn: "2026-01-01T00:00:00Z",
        ...change,
      };
      const env = { ...environment, [planVariable]: JSON.stringify(plan) };
      const child = spawn("node", ["components/attest/launch.cjs", "attest"], { cwd: root, env });
      child.stdin.end(JSON.stringify(record()));
      const closed = new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 128)));
      const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
      return { status, stdout, stderr };
    };
    const missing = async (): Promise<readonly string[]> => {
      const wanted = wantedAttestations(attestConfigSchema.parse(config()), { built: true, recorded: true });
      const version = { indexDigest: image.index, platformDigests: image.platforms };
      const signer = { publicKey: readFileSync(key(), "utf8") };
      const lists = await attachedLists(client, repository, version, signer);
      return missingAttestations(repository, version, wanted, lists).map(describeMissing);
    };
    /** As another client sees them. */
    const referrers = async (digest: string): Promise<readonly string[]> => {
      const { stdout } = await tool(
        "regctl",
        "artifact",
        "list",
        "--format",
        "{{json .Descriptors}}",
        `${repository}@${digest}`,
      );
      return ((JSON.parse(stdout) ?? []) as { readonly digest: string }[]).map((entry) => entry.digest).toSorted();
    };
    const allReferrers = async (): Promise<readonly (readonly string[])[]> =>
      Promise.all([image.index, ...Object.values(image.platforms)].map(referrers));
    const verify = (command: string, digest: string, ...argv: string[]): Promise<Ended> =>
      tool("cosign", command, "--key", key(), "--insecure-ignore-tlog", ...argv, `${repository}@${digest}`);
    const predicates = async (type: string, digest: string): Promise<readonly Record<string, unknown>[]> => {
      const { stdout } = await verify("verify-attestation", digest, "--type", type);
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => {
          const { payload } = JSON.parse(line) as { readonly payload: string };
          return (
            JSON.parse(Buffer.from(payload, "base64").toString()) as { readonly predicate: Record<string, unknown> }
          ).predicate;
        });
    };

    it("are all missing at first, and after attesting none is", async () => {
      expect(await missing()).toHaveLength(8);
      expect(await attest()).toMatchObject({ status: 0, stderr: "" });
      expect(await missing()).toEqual([]);
      expect((await allReferrers()).map((list) => list.length)).toEqual([5, 3, 3]);
    });

    it("verify with plain cosign: signatures, and each predicate by its type", async () => {
      for (const digest of [image.index, ...Object.values(image.platforms)]) {
        const { status, stdout } = await verify("verify", digest);
        expect(status).toBe(0);
        expect(stdout).toContain(predicateTypes.signature);
        expect((await verify("verify-attestation", digest, "--type", cosignTypes.sbom)).status).toBe(0);
      }
      for (const type of [cosignTypes.provenance, cosignTypes.mirror]) {
        expect((await verify("verify-attestation", image.index, "--type", type)).status).toBe(0);
      }
    });

    it("are attached as cosign itself attaches what it signs, to the byte", async () => {
      const other = `${sandbox.urls.registry}/mirror/bycosign`;
      await tool("regctl", "image", "copy", `${repository}@${image.index}`, `${other}:1.0.0`);
      const signing = ["--key", sandbox.env["MIRROR_SANDBOX_COSIGN_KEY"] ?? "", "--signing-config"];
      const services = sandbox.env["MIRROR_SANDBOX_SIGNING_CONFIG"] ?? "";
      expect(await tool("cosign", "sign", "--yes", ...signing, services, `${other}@${image.index}`)).toMatchObject({
        status: 0,
      });
      const [entry] = await client.referrers(other, image.index);
      const [subject, written] = await Promise.all(
        [image.index, entry?.digest].map((digest) => client.manifest(`${other}@${digest}`)),
      );
      if (!subject || written?.kind !== "image") throw new Error("cosign attached nothing");
      const bundle = await buffer(await client.blob(other, written.layers[0]?.digest ?? none));
      const made = new Date(written.annotations["org.opencontainers.image.created"] ?? "");
      const { manifest } = bundleManifest(subject, "signature", bundle, made);
      expect(manifest.bytes.toString()).toBe(written.bytes.toString());
    });

    it("do not verify with another key, type, identity or digest", async () => {
      await tool("cosign", "generate-key-pair", "--output-key-prefix", join(folder, "other"));
      const reference = `${repository}@${image.index}`;
      const others = await Promise.all([
        tool("cosign", "verify", "--key", join(folder, "other.pub"), "--insecure-ignore-tlog", reference),
        tool(
          "cosign",
          "verify-attestation",
          "--key",
          join(folder, "other.pub"),
          "--insecure-ignore-tlog",
          "--type",
          "spdxjson",
          reference,
        ),
        verify("verify-attestation", image.index, "--type", "cyclonedx"),
        verify("verify-attestation", Object.values(image.platforms)[0] ?? "", "--type", cosignTypes.mirror),
        verify("verify", none),
        tool(
          "cosign",
          "verify",
          "--certificate-identity-regexp",
          "^https://",
          "--certificate-oidc-issuer-regexp",
          "^https://",
          reference,
        ),
      ]);
      expect(others.map(({ status }) => status)).not.toContain(0);
    });

    it("describe in each SBOM the packages of its own platform, on the platform and on the index", async () => {
      const packages = (sbom: Record<string, unknown> | undefined) =>
        (sbom?.["packages"] as { name: string }[]).map(({ name }) => name);
      const onIndex = await predicates("spdxjson", image.index);
      for (const [platform, digest] of Object.entries(image.platforms)) {
        const architecture = platform.split("/")[1];
        const [own] = await predicates("spdxjson", digest);
        const listed = onIndex.find(({ name }) => name === `${repository}@${digest} (${platform})`);
        for (const sbom of [own, listed]) {
          expect(sbom).toMatchObject({ spdxVersion: "SPDX-2.3" });
          expect(packages(sbom)).toEqual(expect.arrayContaining(["bash", "zlib1g", `only-${architecture}`]));
          expect(packages(sbom).filter((name) => name.startsWith("only-"))).toEqual([`only-${architecture}`]);
        }
      }
    });

    it("state source and commit", async () => {
      const [provenance] = await predicates("slsaprovenance1", image.index);
      expect(provenance).toMatchObject({
        buildDefinition: {
          externalParameters: {
            source: { repository: exampleRecord.upstream.repository, commit: exampleRecord.upstream.commit },
          },
        },
      });
      expect(await predicates(cosignTypes.mirror, image.index)).toMatchObject([
        { upstream: exampleRecord.upstream, image: { digest: image.index } },
      ]);
    });

    it("are not added to by a second run", async () => {
      const before = await allReferrers();
      const { status, stdout } = await attest();
      expect({ status, added: (JSON.parse(stdout) as { added: unknown }).added }).toEqual({ status: 0, added: [] });
      expect(await allReferrers()).toEqual(before);
    });

    it("are restored one by one when one is deleted, the others unchanged", async () => {
      for (const wanted of ["signature", "mirror"] as const) {
        const before = await referrers(image.index);
        const victim = await bundleOf(wanted);
        expect((await tool("regctl", "manifest", "delete", `${repository}@${victim}`)).status).toBe(0);
        expect(await missing()).toEqual([wanted === "signature" ? "unsigned" : "no mirror record"]);
        expect(await attest()).toMatchObject({ status: 0, stderr: "" });
        const after = await referrers(image.index);
        expect(after).toHaveLength(before.length);
        expect(before.filter((digest) => !after.includes(digest))).toEqual([victim]);
        expect(await missing()).toEqual([]);
      }
    });

    /** The bundle of one kind on the index, by its manifest's annotation. */
    async function bundleOf(wanted: "signature" | "mirror"): Promise<string> {
      for (const digest of await referrers(image.index)) {
        const { stdout } = await tool("regctl", "manifest", "get", "--format", "raw-body", `${repository}@${digest}`);
        if (stdout.includes(predicateTypes[wanted])) return digest;
      }
      throw new Error(`no ${wanted}`);
    }

    it.runIf(kind === "distribution")("are restored when the list of referrers itself is deleted", async () => {
      const digest = image.platforms["linux/arm64"] ?? "";
      expect((await tool("regctl", "tag", "delete", `${repository}:${digest.replace(":", "-")}`)).status).toBe(0);
      expect(await missing()).toEqual(["unsigned linux/arm64", "no SBOM linux/arm64"]);
      expect(await attest()).toMatchObject({ status: 0 });
      expect((await allReferrers()).map((list) => list.length)).toEqual([5, 3, 3]);
    });

    it("survive a registry that is slow to write lists", async () => {
      const before = await referrers(image.index);
      for (const digest of before) await tool("regctl", "manifest", "delete", `${repository}@${digest}`);
      sandbox.setRules([{ method: "PUT", path: "/manifests/sha256-", delayMs: 500 }]);
      try {
        const ended = await Promise.all([attest(), attest()]);
        expect(ended.map(({ status }) => status)).toEqual([0, 0]);
      } finally {
        sandbox.clearRules();
      }
      expect(await referrers(image.index)).toHaveLength(5);
    });

    it("are verified by npm run verify, which fails for another key, source or version", async () => {
      const tagged = async (tag: string, ...argv: string[]) => {
        await tool("regctl", "image", "copy", `${repository}@${image.index}`, `${repository}:${tag}`);
        return tool("npm", "run", "--silent", "verify", "--", `${repository}:${tag}`, "--ignore-tlog", ...argv);
      };
      const run = (...argv: string[]) => tagged("1.2.3", ...argv);
      const good = await run("--key", key(), "--source", exampleRecord.upstream.repository);
      expect(good).toMatchObject({ status: 0 });
      expect(good.stdout).toContain("SBOM linux/arm64: SPDX 2.3");
      for (const line of good.stdout.split("\n").filter((candidate) => candidate.startsWith("  cosign "))) {
        const [command = "", ...argv] = line.trim().split(" ");
        expect((await tool(command, ...argv)).status, line).toBe(0);
      }
      const report = JSON.parse(
        (await run("--key", key(), "--source", "https://example.org/other.git", "--json")).stdout,
      ) as { verified: boolean };
      expect(report.verified).toBe(false);
      expect(await tagged("1.3.0", "--key", key())).toMatchObject({
        status: 1,
        stdout: expect.stringContaining("it is about 1.2.3") as unknown,
      });
      expect((await run("--key", join(folder, "other.pub"))).status).toBe(1);
      expect((await run()).status).toBe(2);
    });

    it("are not made keyless on a machine without an identity token, and the reason is said", async () => {
      const fresh = `${sandbox.urls.registry}/mirror/fresh`;
      await tool("regctl", "image", "copy", `${repository}@${image.index}`, `${fresh}:1.0.0`);
      const signing = { mode: "keyless", identity: "^https://example\\.org/" };
      const { status, stderr } = await attest({ repository: fresh, config: { signing } });
      expect(status).toBe(1);
      expect(stderr).toMatch(/needs an OIDC identity token/);
      expect(await client.referrers(fresh, image.index)).toEqual([]);
    });
  },
);
