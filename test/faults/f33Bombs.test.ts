import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { tar } from "../check/memoryImage";
import { until } from "./support/until";

const value = "a".repeat(60_000);
const blanks = " ".repeat(65_000);

/** Dockerfiles that cost too much to read: what the run says of each. */
const dockerfiles: Readonly<Record<string, readonly [text: string, said: RegExp]>> = {
  doubling: [
    ["ARG A=aaaaaaaaaaaaaaaa", ...Array.from({ length: 30 }, () => "ARG A=$A$A"), "FROM scratch$A"].join("\n"),
    /doubling: 1\.0\.0: .*line \d+: cannot expand .*takes more than 5000000 steps/,
  ],
  pattern: [`ARG A=${value}\nFROM \${A//a*a*a*b/x}`, /pattern: 1\.0\.0: .*line 2: .*takes more than 5000000 steps/],
  nesting: [`FROM ${"${A:-".repeat(9000)}x`, /nesting: 1\.0\.0: .*line 1: .*more than 50 deep/],
  directive: [
    `# escape=\`${blanks}x\nFROM scratch`,
    /directive: 1\.0\.0: .*line 1: the escape character .*is not accepted/,
  ],
  stages: ["FROM scratch\n".repeat(50_000), /stages: 1\.0\.0: .*line 501: it has more than 500 stages/],
};

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      const apps: Record<string, string> = {};
      for (const [app, [dockerfile]] of Object.entries(dockerfiles)) {
        await tinyUpstream(sandbox, app, [{ version: "1.0.0", dockerfile }]);
        apps[app] = tinyAppFile(sandbox, app);
      }
      await tinyUpstream(sandbox, "layers", [{ version: "1.0.0" }]);
      const reference = `${sandbox.urls.registry}/upstream/layers`;
      apps["layers"] = tinyAppFile(
        sandbox,
        "layers",
        `\n  official: { reference: ({ version }) => \`${reference}:\${version}\`, whenUpstreamHasPlatform: "copy" },`,
      );
      const { commits } = await tinyUpstream(sandbox, "drip", [{ version: "1.0.0" }]);
      const tags = Array.from({ length: 5_000 }, (_, index) => `${commits[0]} refs/tags/nightly-${index}\n`);
      writeFileSync(join(sandbox.folder, "git", "drip.git", "packed-refs"), tags.toSorted().join(""));
      apps["drip"] = tinyAppFile(sandbox, "drip");
      await tinyUpstream(sandbox, "good", [{ version: "1.0.0" }]);
      apps["good"] = tinyAppFile(sandbox, "good");
      return apps;
    },
  });
  await pushManyFiles("upstream/layers:1.0.0");
});

afterAll(() => mirror?.stop());

it("F33 what has no end fails its version in words, and the others are published before it has been given up", async () => {
  // Fast enough that git goes on, slow enough that it would for ten minutes.
  mirror.sandbox.setRules([{ part: "git", path: "/drip\\.git/", bytesPerSecond: 1_500 }]);
  const running = mirror.start("up");
  let ended = false;
  void running.ended.then(() => (ended = true));
  await until("good is published", async () => (await mirror.registry.tags("good")).includes("latest"));
  expect(ended).toBe(false);
  const run = await running.ended;
  mirror.sandbox.clearRules();
  expect(run.exitCode).not.toBe(0);
  for (const [, said] of Object.values(dockerfiles)) expect(errorsOf(run)).toMatch(said);
  expect(errorsOf(run)).toMatch(/layers: 1\.0\.0: .*the image has more than 1000000 files, the most that is checked/);
  expect(errorsOf(run)).toMatch(/drip: cannot learn the versions .*git ls-remote took longer than 120 s/);
  for (const app of [...Object.keys(dockerfiles), "layers", "drip"])
    expect(await mirror.registry.tags(app), app).toEqual([]);
  expect(await mirror.registry.tags("good")).toEqual(["1.0.0", "latest"]);
});

it("F33 an app whose next release can be read is published with it", async () => {
  await tinyUpstream(mirror.sandbox, "doubling", [{ version: "1.1.0", dockerfile: tinyDockerfile }]);
  mirror.configure({ apps: ["doubling", "good"] });
  const run = await mirror.up();
  expect(run.exitCode).not.toBe(0);
  expect(errorsOf(run)).toMatch(/doubling: 1\.0\.0: /);
  expect(await mirror.registry.tags("doubling")).toEqual(["1.1.0", "latest"]);
});

/** Upstream's own image, of four megabytes, whose one layer holds more than a million files. */
async function pushManyFiles(name: string): Promise<void> {
  const entries = Array.from({ length: 1000 }, (_, index) => ({ name: `f${index}`, mode: 0o644, body: "" }));
  const archive = await tar(entries);
  const end = archive.subarray(-1024);
  // A gzip file may be made of others: the same thousand files again and again.
  const piece = gzipSync(archive.subarray(0, 512 * entries.length));
  const layer = Buffer.concat([...Array.from({ length: 1_100 }, () => piece), gzipSync(end)]);
  const manifests = [];
  for (const architecture of ["amd64", "arm64"]) {
    const config = Buffer.from(
      JSON.stringify({ os: "linux", architecture, rootfs: { type: "layers", diff_ids: [] }, config: {} }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...(await putBlob(name, config)) },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...(await putBlob(name, layer)) }],
    };
    const { digest, size } = await put(name, `manifests/${digestOf(JSON.stringify(manifest))}`, manifest);
    manifests.push({ mediaType: manifest.mediaType, digest, size, platform: { os: "linux", architecture } });
  }
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  await put(name, "manifests/1.0.0", index);
}

const digestOf = (content: Buffer | string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

async function put(name: string, path: string, value: { readonly mediaType: string }) {
  const body = JSON.stringify(value);
  const headers = { "content-type": value.mediaType };
  const [repository] = name.split(":");
  const answer = await fetch(`http://${mirror.sandbox.urls.registry}/v2/${repository}/${path}`, {
    ...{ method: "PUT", headers, body },
  });
  expect(answer.status).toBe(201);
  return { digest: digestOf(body), size: body.length };
}

async function putBlob(name: string, content: Buffer): Promise<{ readonly digest: string; readonly size: number }> {
  const [repository] = name.split(":");
  const begun = await fetch(`http://${mirror.sandbox.urls.registry}/v2/${repository}/blobs/uploads/`, {
    method: "POST",
  });
  const location = new URL(begun.headers.get("location") ?? "", `http://${mirror.sandbox.urls.registry}`);
  location.searchParams.set("digest", digestOf(content));
  const body = new Uint8Array(content);
  const headers = { "content-type": "application/octet-stream" };
  const answer = await fetch(location, { method: "PUT", headers, body });
  expect(answer.status).toBe(201);
  return { digest: digestOf(content), size: content.length };
}
