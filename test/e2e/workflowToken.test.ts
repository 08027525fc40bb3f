import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { reconcileRun } from "./support/reconcileRun";
import { tinyAppFile, tinyUpstream } from "./support/tinyUpstream";

let mirror: MirrorUnderTest;
beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: { builders: {} },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
      sandbox.setReleases("acme/tiny", [{ tag_name: "v1.0.0" }]);
      const releases = 'source: { kind: "githubReleases", repository: "acme/tiny" }';
      return { tiny: tinyAppFile(sandbox, "tiny").replace(/source: \{.*\}/, releases) };
    },
    settings: { apps: { tiny: { repository: "${MIRROR_SANDBOX_GIT}/tiny.git" } } },
  });
});
afterAll(() => mirror.stop());

it("reads releases with the token of a workflow, whose owner GitHub does not tell", async () => {
  const job = { GITHUB_TOKEN: "ghs_canary", GITHUB_REPOSITORY_OWNER: "acme" };
  const plan = await reconcileRun(mirror, ["--phase", "plan"], job);
  expect([plan.status, plan.stdout]).toEqual([3, expect.stringContaining("1.0.0")]);
  const asked = (): readonly string[] => mirror.requestLog("releases").map(({ path }) => path.replace(/\?.*$/, ""));
  expect(asked()).toEqual(["/api/v3/repos/acme/tiny/releases"]);
  // There is no builder, so that nothing comes of it, but Pulumi's provider is asked now.
  expect((await reconcileRun(mirror, [], job)).status).toBe(1);
  expect(asked()).toContain("/api/v3/orgs/acme");
  expect(asked()).not.toContain("/api/v3/user");
});
