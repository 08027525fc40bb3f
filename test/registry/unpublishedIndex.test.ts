import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkout } from "../../components/engine/checkout";
import { RegistryClient } from "../../components/registry/registryClient";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { UnpublishedIndex, unpublishedTag } from "../../components/registry/unpublishedIndex";
import type { Digest } from "../../components/model/digest";
import { until } from "../faults/support/until";
import { WritableRegistry } from "../attest/writableRegistry";

const environment = { HOME: "/nonexistent" };
/** Long enough for what others write at the same time. */
const clock = { sleep: () => sleep(20) };

describe("what is built and has no tag yet", () => {
  let registry: WritableRegistry;
  let client: RegistryClient;
  let writer: RegistryWriter;
  let repository: string;

  beforeEach(async () => {
    registry = await new WritableRegistry(false).start();
    client = new RegistryClient({ environment });
    writer = new RegistryWriter(environment);
    repository = `${registry.host}/o/a`;
  });

  afterEach(async () => {
    await Promise.all([client.close(), writer.close()]);
    await registry.stop();
  });

  const image = (text: string, tag?: string): Digest => {
    const config = { ...registry.blob("o/a", "{}"), mediaType: "application/vnd.oci.image.config.v1+json" };
    return registry.put("o/a", { config, layers: [registry.blob("o/a", text)] }, tag);
  };
  const run = (): UnpublishedIndex => new UnpublishedIndex({ client, writer }, clock);
  const listed = async (): Promise<readonly Digest[]> => {
    const list = await client.manifest(`${repository}:${unpublishedTag}`);
    return list?.kind === "index" ? list.manifests.map(({ digest }) => digest).toSorted() : [];
  };

  it("is listed under one tag, for no platform", async () => {
    const digests = [1, 2, 3].map((n) => image(`image ${n}`)).toSorted();
    const held = run();
    await Promise.all(digests.map((digest) => held.hold(repository, digest)));
    expect(await listed()).toEqual(digests);
    const list = await client.manifest(`${repository}:${unpublishedTag}`);
    expect(list?.kind === "index" && list.manifests.every(({ platform }) => platform === undefined)).toBe(true);
  });

  it("keeps the program from ending while it waits to look again", async () => {
    const file = (name: string): string => JSON.stringify(join(checkout, "components", "registry", name));
    const held = `${repository}", "${image("image")}`;
    const program = `
      const { load } = require("./components/engine/typescript.cjs");
      const { RegistryClient } = load(${file("registryClient.ts")});
      const { RegistryWriter } = load(${file("registryWriter.ts")});
      const { UnpublishedIndex } = load(${file("unpublishedIndex.ts")});
      const environment = { HOME: "/nonexistent" };
      const access = { client: new RegistryClient({ environment }), writer: new RegistryWriter(environment) };
      new UnpublishedIndex(access).hold("${held}").then(() => console.log("held"));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
      cwd: checkout,
    });
    expect(stdout).toBe("held\n");
  });

  it("is written in few writes when much is built at once, and in none when it is listed", async () => {
    const digests = Array.from({ length: 20 }, (_, n) => image(`image ${n}`));
    const held = run();
    await Promise.all(digests.map((digest) => held.hold(repository, digest)));
    const writes = (): number => registry.requests.filter((request) => request.startsWith("PUT ")).length;
    expect(writes()).toBeLessThan(10);
    const reads = registry.requests.filter((request) => /^GET .*_unpublished/.test(request)).length;
    expect(reads).toBeLessThanOrEqual(2 * writes());
    const before = writes();
    await run().hold(repository, digests[0]!);
    expect(writes()).toBe(before);
  });

  it("stays listed when two runs overwrite each other's list", async () => {
    const [one = "sha256:", other = "sha256:"] = ["one", "other"].map((text) => image(text));
    // Both read the same list, and the slower one writes last.
    let reads = 0;
    const meet: (() => void)[] = [];
    const together: Pick<RegistryClient, "manifest"> = {
      manifest: async (reference) => {
        const found = await client.manifest(reference);
        if (reference.endsWith(`:${unpublishedTag}`) && ++reads <= 2)
          await new Promise<void>((resolve) => {
            meet.push(resolve);
            if (meet.length === 2) for (const go of meet) go();
          });
        return found;
      },
    };
    let written = 0;
    const counted: Pick<RegistryWriter, "putManifest"> = {
      putManifest: (...list) => writer.putManifest(...list).finally(() => written++),
    };
    const afterBoth = { sleep: () => until("both have written", () => written >= 2) };
    const runs = [0, 1].map(() => new UnpublishedIndex({ client: together, writer: counted }, afterBoth));
    await Promise.all([runs[0]!.hold(repository, one), runs[1]!.hold(repository, other)]);
    expect(await listed()).toEqual([one, other].toSorted());
  });

  it("leaves out what is gone where the registry refuses it, and says when the image itself is", async () => {
    const [gone = "sha256:", kept = "sha256:"] = ["gone", "kept"].map((text) => image(text));
    await run().hold(repository, gone);
    registry.manifests.delete(`o/a ${gone}`);
    await run().hold(repository, kept);
    expect(await listed()).toEqual([kept]);
    await expect(run().hold(repository, gone)).rejects.toThrow(`${repository}@${gone} is gone`);
  });

  it("is dropped by the next write a week later", async () => {
    const [old = "sha256:", fresh = "sha256:"] = ["old", "fresh"].map((text) => image(text));
    await run().hold(repository, old);
    const stored = registry.manifests.get(`o/a ${unpublishedTag}`)!;
    const aged = stored.body
      .toString()
      .replace(
        /"org\.opencontainers\.image\.created":"[^"]*"/,
        '"org.opencontainers.image.created":"2020-01-01T00:00:00Z"',
      );
    registry.manifests.set(`o/a ${unpublishedTag}`, { ...stored, body: Buffer.from(aged) });
    await run().hold(repository, fresh);
    expect(await listed()).toEqual([fresh]);
  });

  it("is no reason to overwrite an image that somebody gave the tag", async () => {
    const digest = image("image", unpublishedTag);
    await expect(run().hold(repository, digest)).rejects.toThrow("names an image; accepted is a list");
  });
});
