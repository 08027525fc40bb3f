import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { shortcomings } from "../faults/support/shortcomings";
import { bundles, signingByKey } from "../faults/support/signedBundles";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { errorsOf } from "./support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "./support/tinyUpstream";

const versions = ["1.0.0", "1.1.0"];
let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: {
      registryProfile: "dockerhub",
      registryName: "docker.io",
      authentication: { mode: "token", user: "mirror", password: "correct horse", anonymousPull: true },
    },
    apps: async (sandbox) => {
      await tinyUpstream(
        sandbox,
        "tiny",
        versions.map((version) => ({ version })),
      );
      return { tiny: tinyAppFile(sandbox, "tiny") };
    },
  });
  mirror.configure({ attest: signingByKey(mirror) });
});

afterAll(() => mirror?.stop());

/** What Docker Hub counts as pulls in a run that has nothing to do. */
async function pulls(): Promise<readonly string[]> {
  mirror.mark();
  const up = await mirror.up();
  expect([up.exitCode, mirror.writes()]).toEqual([0, []]);
  return mirror
    .registryLog()
    .filter(({ method, path, status }) => method === "GET" && path.includes("/manifests/") && status === 200)
    .map(({ path }) => path.replace(/^.*\//, ""));
}

it("publishes to Docker Hub under its usual name and with its credentials", async () => {
  expect(errorsOf(await mirror.up())).toBe("");
  expect(await shortcomings(mirror, "tiny", versions, { exactly: true })).toEqual([]);
});

it("pulls nothing when there is nothing to do, with and without the stack's state", async () => {
  expect(await pulls()).toEqual([]);
  await mirror.loseState();
  expect(await pulls()).toEqual([]);
});

it("pulls each version, each floating tag and each statement once on a machine that kept nothing", async () => {
  await rm(join(mirror.environment()["MIRROR_CACHE"] ?? "", "manifests"), { recursive: true });
  const pulled = await pulls();
  const statements = pulled.filter((name) => name.startsWith("sha256:"));
  expect(pulled.filter((name) => !statements.includes(name)).toSorted()).toEqual([...versions, "latest"]);
  expect(new Set(statements).size).toBe(statements.length);
  expect(statements).toHaveLength(versions.length * (bundles.index.length + 2 * bundles.platform.length));
  expect(await pulls()).toEqual([]);
});
