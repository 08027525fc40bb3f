import { afterAll, beforeAll, expect, it } from "vitest";
import { shortcomings } from "../faults/support/shortcomings";
import { signingByKey } from "../faults/support/signedBundles";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { errorsOf } from "./support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "./support/tinyUpstream";

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: {
      registryProfile: "dockerhub",
      registryName: "docker.io",
      authentication: { mode: "token", user: "mirror", password: "correct horse", anonymousPull: true },
    },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }, { version: "1.1.0" }]);
      return { tiny: tinyAppFile(sandbox, "tiny") };
    },
  });
  mirror.configure({ attest: signingByKey(mirror) });
});

afterAll(() => mirror?.stop());

/** What Docker Hub counts as pulls. */
const pulls = (): readonly string[] =>
  mirror
    .registryLog()
    .filter(({ method, path, status }) => method === "GET" && /\/manifests\//.test(path) && status === 200)
    .map(({ path }) => path);

it("publishes to Docker Hub under its usual name and with its credentials", async () => {
  expect(errorsOf(await mirror.up())).toBe("");
  expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0"], { exactly: true })).toEqual([]);
});

it("then pulls nothing when there is nothing to do, with and without the stack's state", async () => {
  // The run that published read its tags before it wrote them.
  await mirror.up();
  mirror.mark();
  expect((await mirror.up()).exitCode).toBe(0);
  expect(pulls()).toEqual([]);
  await mirror.loseState();
  mirror.mark();
  const up = await mirror.up();
  expect([up.exitCode, mirror.writes()]).toEqual([0, []]);
  expect(pulls()).toEqual([]);
});
