import { describe, expect, it } from "vitest";
import type { ResolvedBase } from "../../components/decide/appPlan";
import type { AppSpecification } from "../../components/model/appSpecification";
import { imageLabels, type LabelInput } from "../../components/decide/labels";

const commit = "c0ffee".padEnd(40, "0");
const digest = `sha256:${"1".repeat(64)}` as const;
const specification: AppSpecification = {
  name: "app",
  source: { kind: "gitTags", url: "https://git.example/app.git" },
};
const base = (over: Partial<ResolvedBase>): ResolvedBase => ({
  reference: "docker.io/library/alpine:3.22",
  pinned: `docker.io/library/alpine@${digest}`,
  digest,
  final: true,
  ...over,
});

const labels = (over: Partial<LabelInput> = {}): Readonly<Record<string, string>> =>
  imageLabels({
    specification,
    release: { version: "1.0.0", tag: "v1.0.0", reference: "tag", commit },
    source: "https://git.example/app.git",
    committedAt: "2026-01-02T03:04:05Z",
    bases: [],
    ...over,
  });

describe("the labels of an image", () => {
  it("are the predefined ones of the OCI image specification and the mirror's own, of an app that says no more", () => {
    expect(labels()).toEqual({
      "org.opencontainers.image.title": "app",
      "org.opencontainers.image.version": "1.0.0",
      "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
      "org.opencontainers.image.source": "https://git.example/app",
      "org.opencontainers.image.revision": commit,
      "io.github.multiarch-mirror.app": "app",
      "io.github.multiarch-mirror.upstream-tag": "v1.0.0",
      "io.github.multiarch-mirror.dockerfile": "upstream",
    });
  });

  it("say what the app says of itself", () => {
    const told = { title: "App", description: "Does it", licenses: "MIT", url: "https://app.example" };
    expect(labels({ specification: { ...specification, ...told } })).toMatchObject({
      "org.opencontainers.image.title": "App",
      "org.opencontainers.image.description": "Does it",
      "org.opencontainers.image.licenses": "MIT",
      "org.opencontainers.image.url": "https://app.example",
    });
  });

  it("name the base of the final stage, and no other", () => {
    const bases = [base({ reference: "docker.io/library/golang:1", final: false }), base({})];
    expect(labels({ bases })).toMatchObject({
      "org.opencontainers.image.base.name": "docker.io/library/alpine:3.22",
      "org.opencontainers.image.base.digest": digest,
    });
    expect(Object.keys(labels({ bases: bases.slice(0, 1) })).filter((key) => key.includes("base"))).toEqual([]);
  });

  it("tell a Dockerfile of the mirror from upstream's", () => {
    const own = labels({ specification: { ...specification, ownDockerfile: "apps/app.Dockerfile" } });
    expect(own["io.github.multiarch-mirror.dockerfile"]).toBe("mirror");
  });

  it("can be set by the app, also in place of these", () => {
    const own = { "org.opencontainers.image.title": "Mine", "org.example": "yes" };
    expect(labels({ specification: { ...specification, labels: own } })).toMatchObject(own);
  });

  it("are the same for the same input, or equal sources would give different images", () => {
    expect(JSON.stringify(labels())).toBe(JSON.stringify(labels()));
  });
});
