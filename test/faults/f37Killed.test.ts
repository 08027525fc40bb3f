import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { releaseDeadLocks } from "../../commands/reconcile/releaseDeadLocks";
import { usualEntry } from "../e2e/support/entry";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyApp, tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";
import { killTree } from "./support/killTree";
import { shortcomings } from "./support/shortcomings";
import { signingByKey, verified } from "./support/signedBundles";
import { until } from "./support/until";
import { Watch } from "./support/watch";

const forEver = 3_600_000;
/**
 * A run writes some 20 manifests. The first is killed when it has written so many of them, and each further one when it has written one
 * more than the one before: what is attached to a digest together is made anew by the next run.
 */
const leastWrites = 2;

describe("a machine that dies again and again", () => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      through: usualEntry("reconcile"),
      apps: tinyApp("1.0.0"),
      settings: { keep: 1 },
    });
    mirror.configure({ attest: signingByKey(mirror) });
  });
  afterAll(() => mirror?.stop());

  /** What is signed of each platform a version tag names, and of the index a floating tag names; no tag, nothing. */
  async function signedOf(app: string): Promise<readonly (readonly string[])[]> {
    const tags = (await mirror.registry.tags(app)).filter((tag) => !tag.startsWith("sha256-"));
    const digests = tags.map(async (tag) => {
      const { digest, platforms } = await mirror.registry.index(app, tag);
      return tag === "latest" ? [digest] : Object.values(platforms);
    });
    const named = (await Promise.all(digests)).flat();
    return Promise.all(named.map((digest) => verified(mirror, app, digest)));
  }

  /** Runs until a run ends by itself, each of those before it killed a few manifests further on. */
  async function killAgainAndAgain(app: string): Promise<{ readonly kills: number; readonly run: PulumiRun }> {
    for (let kills = 0; ; kills++) {
      const skip = leastWrites + kills;
      mirror.sandbox.setRules([
        { part: "registry", method: "PUT", path: `/${app}/manifests/`, skip, delayMs: forEver },
      ]);
      const running = mirror.start("up");
      const held = until(
        "a manifest too many is about to be written",
        () => mirror.sandbox.ruleStatus()[0]?.used !== 0,
      );
      const run = await Promise.race([running.ended, held.then(() => undefined)]);
      if (run === undefined) {
        killTree(running.child.pid ?? 0);
        await running.ended;
      }
      mirror.sandbox.clearRules();
      await held.catch(() => undefined);
      for (const kinds of await signedOf(app)) expect(kinds).toContain("signature");
      if (run) return { kills, run };
      await releaseDeadLocks(mirror.environment()["PULUMI_BACKEND_URL"] ?? "");
    }
  }

  it("F37 leaves no tag without signatures wherever it is killed, and what is left to do gets done", async () => {
    const watch = await Watch.begin(mirror);
    const { kills, run } = await killAgainAndAgain("tiny");
    expect(kills).toBeGreaterThan(3);
    expect(errorsOf(run)).toBe("");
    expect(watch.tagWrites("tiny", "1.0.0")).toBe(1);
    expect(await watch.damage()).toEqual([]);
    expect(await shortcomings(mirror, "tiny", ["1.0.0"])).toEqual([]);
    expect(changesOf(await mirror.up())).toEqual([]);
  });

  it("F37 does so for platforms that are copied from upstream's own image", async () => {
    const { registry } = mirror.sandbox.urls;
    await mirror.registry.regctl(
      "image",
      "copy",
      mirror.registry.name("tiny", "1.0.0"),
      `${registry}/upstream/copied:1.0.0`,
    );
    await tinyUpstream(mirror.sandbox, "copied", [{ version: "1.0.0" }]);
    const official = `official: { reference: ({ version }) => "${registry}/upstream/copied:" + version, whenUpstreamHasPlatform: "copy" },`;
    const file = tinyAppFile(mirror.sandbox, "copied", `\n  ${official}`).replace("^copied ", "^tiny ");
    mirror.setApps({ copied: file });
    await mirror.loseState();
    const { kills, run } = await killAgainAndAgain("copied");
    expect(kills).toBeGreaterThan(1);
    expect(errorsOf(run)).toBe("");
    const [theirs, ours] = await Promise.all([
      mirror.registry.index("tiny", "1.0.0"),
      mirror.registry.index("copied", "1.0.0"),
    ]);
    expect(ours.platforms).toEqual(theirs.platforms);
    for (const digest of Object.values(ours.platforms))
      expect(await verified(mirror, "copied", digest)).toEqual(expect.arrayContaining(["sbom", "signature"]));
    expect(await verified(mirror, "copied", ours.digest)).toContain("mirror");
    expect(changesOf(await mirror.up())).toEqual([]);
  });
});
