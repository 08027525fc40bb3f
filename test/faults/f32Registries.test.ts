import { afterEach, expect, it } from "vitest";
import type { ProfileName } from "../../tools/sandbox/registryProfiles";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf } from "../e2e/support/pulumiRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { shortcomings } from "./support/shortcomings";
import { signingByKey, verified } from "./support/signedBundles";

let running: MirrorUnderTest | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(registryProfile: ProfileName): Promise<MirrorUnderTest> {
  const mirror = await MirrorUnderTest.start({
    sandbox: { registryProfile },
    apps: tinyApp("1.0.0"),
  });
  mirror.configure({ attest: signingByKey(mirror) });
  return (running = mirror);
}

/** What each does differently is in the table the sandbox plays it by. */
const profiles: readonly ProfileName[] = ["harbor", "quay", "gitlab", "artifactory", "ghcr"];

it.each(profiles)(
  "F32 a registry that answers as %s is filled, and nothing is built or signed twice",
  async (profile) => {
    const mirror = await start(profile);
    expect(errorsOf(await mirror.up())).toBe("");
    expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
    await mirror.loseState();
    await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
    expect(errorsOf(await mirror.up())).toBe("");
    expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0"], { exactly: true })).toEqual([]);
    mirror.mark();
    const again = await mirror.up();
    expect([again.exitCode, changesOf(again), mirror.writes()]).toEqual([0, [], []]);
  },
);

it("F32 a registry that takes signatures and lists none gets no tag, is named, and is signed in once", async () => {
  const mirror = await start("unlisting");
  const up = await mirror.up();
  expect(up.exitCode).not.toBe(0);
  expect(errorsOf(up)).toMatch(/1\.0\.0 is not written: .*it was written, but the registry of .* does not list it/);
  expect(await mirror.registry.tags("tiny")).toEqual([]);
  const blobs = mirror.registryLog().filter(({ method, path }) => method === "PUT" && /\/manifests\//.test(path));
  // Two images, and at most what is attached to each: a signature, an SBOM and its provenance.
  expect(blobs.filter(({ path }) => !path.includes("_unpublished")).length).toBeLessThanOrEqual(2 + 2 * 3);
});

it.each([
  ["ecr-immutable", "all"],
  ["zot-immutable", "versions"],
] as const)(
  "F32 where tags are immutable (%s) a version keeps what it has, in one note",
  async (profile, immutableTags) => {
    const mirror = await start(profile);
    mirror.configure({ immutableTags, platforms: ["linux/amd64"] });
    expect(errorsOf(await mirror.up())).toBe("");
    await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
    mirror.configure({ platforms: ["linux/amd64", "linux/arm64"] });
    mirror.mark();
    const up = await mirror.up();
    expect([up.exitCode, errorsOf(up)]).toEqual([0, ""]);
    expect(mirror.writes().filter((write) => /manifests\/(?!sha256)/.test(write))).toEqual(
      ["1.1.0", ...(immutableTags === "versions" ? ["latest"] : [])].map(
        (tag) => `PUT /v2/mirror/tiny/manifests/${tag}`,
      ),
    );
    expect(Object.keys((await mirror.registry.index("tiny", "1.0.0")).platforms)).toEqual(["linux/amd64"]);
    const { digest, platforms } = await mirror.registry.index("tiny", "1.1.0");
    expect(Object.keys(platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
    expect(await verified(mirror, "tiny", digest)).toContain("signature");
    mirror.mark();
    const again = await mirror.up();
    expect([again.exitCode, mirror.writes()]).toEqual([0, []]);
    const note = "tags are not written again (immutableTags), so these stay: 1.0.0 without linux/arm64";
    expect(again.output.split(note)).toHaveLength(2);
  },
);

it("F32 a tag that turns out immutable fails its version in words, and no other", async () => {
  const mirror = await start("ecr-immutable");
  mirror.configure({ platforms: ["linux/amd64"] });
  await mirror.up();
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  mirror.configure({ platforms: ["linux/amd64", "linux/arm64"] });
  const up = await mirror.up();
  expect(up.exitCode).not.toBe(0);
  expect(up.output).toContain("cannot be overwritten because the repository is immutable");
  const advice = "could not be written; if the registry lets nobody write a tag again, set immutableTags";
  expect(up.output).toContain(`1.0.0: the index ${advice}`);
  expect(up.output).toContain(`floating tag latest ${advice}`);
  expect(up.outputs.missing).toEqual(["tiny 1.0.0"]);
  await mirror.registry.pull("tiny", "1.1.0");
});
