import { describe, expect, it } from "vitest";
import { baseRegistry } from "../components/baseRegistry";
import type { Digest } from "../components/plan/digest";
import type { Platform } from "../components/plan/platform";
import type { ImageConfiguration } from "../components/registry/imageConfiguration";
import type { Descriptor, Manifest } from "../components/registry/manifest";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const descriptor = (letter: string, platform?: Platform): Descriptor => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: digest(letter),
  size: 1,
  annotations: {},
  ...(platform !== undefined && { platform }),
});
const common = { mediaType: "application/x", bytes: Buffer.alloc(0), annotations: {} };
const index: Manifest = {
  ...common,
  kind: "index",
  digest: digest("1"),
  manifests: [
    descriptor("2", "linux/amd64"),
    descriptor("3", "linux/arm64"),
    descriptor("4", "linux/arm64"),
    descriptor("5"),
  ],
};
const image: Manifest = {
  ...common,
  kind: "image",
  digest: digest("6"),
  config: descriptor("7"),
  layers: [descriptor("8"), descriptor("9")],
};

function client(answer: (reference: string) => Manifest | undefined) {
  const asked: string[] = [];
  const configuration: ImageConfiguration = {
    platform: "linux/s390x",
    labels: {},
    environment: [],
    entrypoint: [],
    command: [],
    user: "",
    workingDirectory: "",
  };
  return {
    asked,
    manifest: async (reference: string) => {
      asked.push(reference);
      return Promise.resolve(answer(reference));
    },
    imageConfig: async (repository: string) => {
      asked.push(`configuration of ${repository}`);
      return Promise.resolve(configuration);
    },
  };
}

describe("bases in a registry", () => {
  it("are the index's platforms: the first of each, without attestations", async () => {
    expect(await baseRegistry(client(() => index)).lookUp("node:22")).toEqual({
      kind: "index",
      digest: digest("1"),
      platforms: { "linux/amd64": digest("2"), "linux/arm64": digest("3") },
    });
  });

  it("are the one platform a single image's configuration names", async () => {
    const registry = client(() => image);
    expect(await baseRegistry(registry).lookUp("node:22")).toEqual({
      kind: "image",
      digest: digest("6"),
      platforms: { "linux/s390x": digest("6") },
    });
    expect(registry.asked).toEqual(["node:22", "configuration of docker.io/library/node"]);
  });

  it("are undefined when absent", async () => {
    expect(await baseRegistry(client(() => undefined)).lookUp("node:22")).toBeUndefined();
  });

  it("are asked for once in a run, also by several at once", async () => {
    const registry = client(() => index);
    const bases = baseRegistry(registry);
    await Promise.all([bases.lookUp("node:22"), bases.lookUp("node:22")]);
    await bases.lookUp("node:22");
    expect(registry.asked).toEqual(["node:22"]);
  });

  it("are asked for again after a failure", async () => {
    let failures = 1;
    const bases = baseRegistry(
      client(() => {
        if (failures-- > 0) throw new Error("503");
        return index;
      }),
    );
    await expect(bases.lookUp("node:22")).rejects.toThrow("503");
    expect((await bases.lookUp("node:22"))?.digest).toBe(digest("1"));
  });

  it("give a platform's layers, and refuse to where there are none", async () => {
    const bases = baseRegistry(
      client((reference) => (reference.includes("gone") ? undefined : reference.includes("index") ? index : image)),
    );
    expect(await bases.layers("node@x")).toEqual([digest("8"), digest("9")]);
    await expect(bases.layers("gone")).rejects.toThrow("answers 404");
    await expect(bases.layers("index")).rejects.toThrow("names an index");
  });
});
