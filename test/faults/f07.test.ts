import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { changesOf, errorsOf, type PulumiRun } from "../e2e/support/pulumiRun";
import { tinyApp } from "../e2e/support/tinyUpstream";
import { refusal } from "./support/refusal";
import { Watch } from "./support/watch";

const images = ["create tiny-1.0.0-linux-amd64", "create tiny-1.0.0-linux-arm64"];
const whole = ["create tiny-1.0.0", ...images, "create tiny-latest"].toSorted();

describe("nothing is there yet", () => {
  let mirror: MirrorUnderTest;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      sandbox: { authentication: { mode: "token", user: "mirror", password: "right" } },
      apps: tinyApp("1.0.0"),
    });
  });
  afterAll(() => mirror?.stop());

  /** Pulumi's preview; what `reconcile` sees has to be the same. */
  async function preview(environment: Readonly<Record<string, string>> = {}): Promise<PulumiRun> {
    const run = await mirror.preview({ environment, through: "pulumi" });
    const look = await mirror.preview({ environment, through: "reconcile" });
    expect(rows(look)).toEqual(rows(run));
    expect([errorsOf(look), look.exitCode === 0]).toEqual([errorsOf(run), run.exitCode === 0]);
    return run;
  }
  const rows = ({ output }: PulumiRun): readonly string[] =>
    (output.match(/^ *1\.0\.0 .*$/gm) ?? []).map((row) => row.trim());
  async function previewWith(...rules: Parameters<typeof mirror.sandbox.setRules>[0]): Promise<PulumiRun> {
    mirror.sandbox.setRules(rules);
    mirror.mark();
    const run = await preview();
    expect(mirror.writes()).toEqual([]);
    return run;
  }
  /** A Docker configuration whose password the registry does not take. */
  function wrongCredentials(): Readonly<Record<string, string>> {
    const auth = Buffer.from("mirror:wrong").toString("base64");
    const auths = { [mirror.sandbox.urls.registry]: { auth } };
    writeFileSync(join(mirror.sandbox.folder, "config.json"), JSON.stringify({ auths }));
    return { DOCKER_CONFIG: mirror.sandbox.folder };
  }

  it.each(["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "TAG_EXPIRED", "UNKNOWN"])(
    "F07 takes 404 with %s for absent",
    async (code) => {
      const run = await previewWith(refusal(404, code));
      expect(run.exitCode, run.output).toBe(0);
      expect(changesOf(run)).toEqual(whole);
    },
  );

  it("F07 takes any other 404 for unknown: one that is no registry's, and one with a refusal", async () => {
    const odd = [refusal(404, "DENIED"), { ...refusal(404, ""), body: "<html>not here</html>" }];
    for (const rule of odd) {
      const run = await previewWith(rule);
      expect(run.exitCode, run.output).not.toBe(0);
      expect(changesOf(run)).toEqual([]);
      expect(run.output).toContain("the registry gave no usable answer (malformed)");
    }
  });

  it("F07 takes 403 for unknown", async () => {
    const run = await previewWith(refusal(403, "DENIED"));
    expect(run.exitCode, run.output).not.toBe(0);
    expect(changesOf(run)).toEqual([]);
    expect(run.output).toContain("the registry gave no usable answer (authorisation)");
  });

  it("F07 takes 403 for unknown for a new app too, when the registry does not take the credentials", async () => {
    mirror.configure({ newPackages: ["tiny"] });
    mirror.sandbox.setRules([refusal(403, "DENIED")]);
    const run = await preview(wrongCredentials());
    expect(run.exitCode, run.output).not.toBe(0);
    expect(changesOf(run)).toEqual([]);
    expect(run.output).toContain("the registry gave no usable answer (authorisation)");
  });

  it("F07 takes 403 for absent when the app is listed as new and the credentials are good, and publishes it", async () => {
    mirror.configure({ newPackages: ["tiny"] });
    const first = await previewWith(refusal(403, "DENIED"));
    expect(first.exitCode, first.output).toBe(0);
    expect(changesOf(first)).toEqual(whole);
    // The package exists as soon as the first image is pushed, which makes the refusals end.
    // Otherwise what is asked here counts too.
    mirror.sandbox.clearRules();
    const watch = await Watch.begin(mirror);
    mirror.sandbox.setRules([refusal(403, "DENIED", { path: "/manifests/(1\\.0\\.0|latest)$", times: 2 })]);
    const run = await mirror.up();
    expect(run.exitCode, run.output).toBe(0);
    mirror.sandbox.clearRules();
    expect(await mirror.registry.tags("tiny")).toEqual(["1.0.0", "latest"]);
    await mirror.registry.pull("tiny", "1.0.0");
    expect(await watch.damage()).toEqual([]);
  });
});
