import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageView } from "./support/imageView";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import type { PulumiRun } from "./support/pulumiRun";
import { askService } from "./support/service";
import { writeHelloFlask } from "./upstream/helloFlask";
import { productionApps } from "./upstream/productionApps";

describe("hello-flask, built for real on three platforms", () => {
  let mirror: MirrorUnderTest;
  let version: string;
  let outcome: PulumiRun;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        version = (await writeHelloFlask(sandbox)).commit.slice(0, 8);
        return productionApps("helloFlask");
      },
      sandbox: { maxParallelism: 3 },
    });
    mirror.configure({ apps: { "hello-flask": { repository: `${mirror.sandbox.urls.git}/larsks/hello-flask.git` } } });
    outcome = await mirror.up();
  });
  afterAll(() => mirror?.stop());

  it("publishes the branch's head under its commit and as latest, for all three platforms", async () => {
    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(await mirror.registry.tags("hello-flask")).toEqual([version, "latest"].toSorted());
    const index = await mirror.registry.index("hello-flask", version);
    expect(Object.keys(index.platforms).toSorted()).toEqual(["linux/amd64", "linux/arm64", "linux/ppc64le"]);
    expect(await mirror.registry.digest("hello-flask", "latest")).toBe(index.digest);
  });

  it("installed into each image what belongs to its platform", async () => {
    for (const [platform, machine] of [
      ["linux/amd64", 62],
      ["linux/arm64", 183],
      ["linux/ppc64le", 21],
    ] as const) {
      const image = await ImageView.of(mirror, "hello-flask", version, platform);
      expect((await image.file("/usr/bin/python3.11")).readUInt16LE(18)).toBe(machine);
      expect((await image.file("/usr/local/bin/gunicorn")).toString()).toMatch(/^#!.*python/);
      expect(await image.labels()).toMatchObject({ "org.opencontainers.image.base.name": "python:3.8" });
    }
  });

  it("serves a request when it runs", async () => {
    const { name } = await ImageView.of(mirror, "hello-flask", version, "linux/amd64");
    expect(await askService(mirror, name, "http://127.0.0.1:8080/")).toBe("Hello world");
  });

  it("rebuilds nothing when it runs again and the branch has not moved", async () => {
    mirror.mark();
    expect((await mirror.up()).exitCode).toBe(0);
    expect(mirror.writes()).toEqual([]);
  });
});
