import { describe, expect, it } from "vitest";
import { type ResolveBasesOptions, resolveBases } from "../../components/plan/resolveBases";
import type { BaseManifest } from "../../components/decide/basePins";
import { isDigest, type Digest } from "../../components/model/digest";
import { DockerfileError } from "../../components/dockerfile/dockerfileError";
import type { BaseContent, BaseRegistry } from "../../components/probe/baseRegistry";

const digest = (letter: string): Digest => {
  const made = `sha256:${letter.repeat(64)}`;
  if (!isDigest(made)) throw new Error(`${letter} is no hex digit`);
  return made;
};

const nobleAmd64: BaseManifest = { kind: "image", digest: digest("a"), platforms: { "linux/amd64": digest("a") } };
const noble: BaseManifest = {
  kind: "index",
  digest: digest("b"),
  platforms: { "linux/amd64": digest("a"), "linux/arm64": digest("c") },
};
const distroless: BaseManifest = {
  kind: "index",
  digest: digest("d"),
  platforms: { "linux/amd64": digest("e"), "linux/arm64": digest("f") },
};
const golang: BaseManifest = { kind: "index", digest: digest("0"), platforms: { "linux/amd64": digest("1") } };
const node: BaseManifest = {
  kind: "index",
  digest: digest("2"),
  platforms: { "linux/amd64": digest("3"), "linux/arm64": digest("4") },
};

const published: Readonly<Record<string, BaseManifest>> = {
  "docker.io/library/ubuntu:noble": noble,
  [`docker.io/library/ubuntu:noble@${digest("a")}`]: nobleAmd64,
  "gcr.io/distroless/base-debian12:latest": distroless,
  "docker.io/library/golang:1.25": golang,
  "docker.io/library/node:22-slim": node,
  "docker/dockerfile:1": golang,
  "node:22-slim": node,
};

class FakeRegistry implements BaseRegistry {
  readonly asked: string[] = [];

  async lookUp(reference: string): Promise<BaseManifest | undefined> {
    this.asked.push(reference);
    return Promise.resolve(published[reference]);
  }

  async image(reference: string): Promise<BaseContent> {
    this.asked.push(reference);
    const layers = [digest(reference.at(-1) === "f" ? "8" : "9")];
    return Promise.resolve({ layers, triggers: [], labels: { "moby.buildkit.frontend.caps": contexts } });
  }

  async refusal(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }
}

const contexts = "moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts";

function resolve(text: string, options: Partial<ResolveBasesOptions> = {}) {
  return resolveBases({
    dockerfile: { path: "server/build/Dockerfile", text },
    platforms: ["linux/amd64", "linux/arm64"],
    buildArguments: () => ({}),
    registry: new FakeRegistry(),
    ...options,
  });
}

const mattermost = [
  `FROM ubuntu:noble@${digest("a")} AS builder`,
  "ARG MM_PACKAGE",
  "RUN curl -L $MM_PACKAGE | tar -xz",
  "FROM gcr.io/distroless/base-debian12",
  "COPY --from=builder /mattermost /mattermost",
].join("\n");

describe("resolving the bases of a build", () => {
  it("warns of a build argument without effect, once for all platforms", async () => {
    const { warnings } = await resolve(mattermost, { buildArguments: () => ({ MM_PACKAGE: "x", MM_PAKAGE: "x" }) });
    expect(warnings).toEqual([
      'the build argument "MM_PAKAGE" has no effect: no ARG of "server/build/Dockerfile" declares it',
    ]);
  });

  it("gives every platform the same pinned indexes, keyed by the whole reference", async () => {
    const { platforms, warnings } = await resolve(mattermost);
    const namedContexts = {
      [`ubuntu:noble@${digest("a")}`]: {
        kind: "reference",
        location: `docker-image://docker.io/library/ubuntu@${digest("b")}`,
      },
      "gcr.io/distroless/base-debian12": {
        kind: "reference",
        location: `docker-image://gcr.io/distroless/base-debian12@${digest("d")}`,
      },
    };
    expect(platforms["linux/amd64"]?.namedContexts).toEqual(namedContexts);
    expect(platforms["linux/arm64"]?.namedContexts).toEqual(namedContexts);
    expect(warnings).toEqual([]);
  });

  it("tells the layers of the final base per platform", async () => {
    const { platforms } = await resolve(mattermost);
    expect(platforms["linux/arm64"]?.bases).toEqual([
      {
        reference: `ubuntu:noble@${digest("a")}`,
        pinned: `docker.io/library/ubuntu@${digest("b")}`,
        digest: digest("b"),
        final: false,
      },
      {
        reference: "gcr.io/distroless/base-debian12",
        pinned: `gcr.io/distroless/base-debian12@${digest("d")}`,
        digest: digest("d"),
        final: true,
        layers: [digest("8")],
      },
    ]);
    expect(platforms["linux/amd64"]?.bases[1]).toMatchObject({ final: true, layers: [digest("9")] });
  });

  it("lists the materials with the manifest of each platform", async () => {
    const { materials } = await resolve(mattermost);
    expect(materials).toEqual([
      {
        reference: `ubuntu:noble@${digest("a")}`,
        line: 1,
        pinned: `docker.io/library/ubuntu@${digest("b")}`,
        digest: digest("b"),
        platforms: noble.platforms,
      },
      {
        reference: "gcr.io/distroless/base-debian12",
        line: 4,
        pinned: `gcr.io/distroless/base-debian12@${digest("d")}`,
        digest: digest("d"),
        platforms: distroless.platforms,
      },
    ]);
  });

  it("asks once for each image, however many platforms and stages use it", async () => {
    const registry = new FakeRegistry();
    await resolve("FROM node:22-slim AS a\nFROM node:22-slim\nCOPY --from=a / /", { registry });
    expect(registry.asked.filter((reference) => reference === "docker.io/library/node:22-slim")).toHaveLength(1);
  });

  it("leaves a base of the mirror to the app, and pins the others", async () => {
    const text =
      "ARG BASE_IMAGE=outlinewiki/outline-base\nFROM ${BASE_IMAGE} AS base\nFROM node:22-slim\nCOPY --from=base / /";
    const registry = new FakeRegistry();
    const { platforms } = await resolve(text, { registry, provided: ["outlinewiki/outline-base"] });
    expect(Object.keys(platforms["linux/arm64"]?.namedContexts ?? {})).toEqual(["node:22-slim"]);
    expect(registry.asked.some((reference) => reference.includes("outline"))).toBe(false);
  });

  it("refuses a provided key in a form that BuildKit would ignore", async () => {
    const provided = ["docker.io/outlinewiki/outline-base:latest"];
    await expect(resolve("FROM outlinewiki/outline-base", { provided })).rejects.toThrow(
      'write "outlinewiki/outline-base"',
    );
  });

  it("accepts a cross-compiling stage whose image has only the builder's platform", async () => {
    const text =
      "# syntax=docker/dockerfile:1\nFROM --platform=$BUILDPLATFORM golang:1.25 AS b\nFROM scratch\nCOPY --from=b / /";
    const { platforms, materials, frontend } = await resolve(text);
    expect(platforms["linux/arm64"]?.namedContexts["golang:1.25"]).toBeDefined();
    expect(materials).toMatchObject([{ platforms: {} }]);
    expect(frontend?.reference).toBe("docker/dockerfile:1");
    expect(frontend?.pinned).toBe(`docker.io/docker/dockerfile@${frontend?.digest}`);
  });

  it("uses each platform's own build arguments", async () => {
    const { platforms } = await resolve("ARG B\nFROM $B", {
      buildArguments: (platform) => ({ B: platform === "linux/amd64" ? "golang:1.25" : "node:22-slim" }),
    });
    expect(Object.keys(platforms["linux/amd64"]?.namedContexts ?? {})).toEqual(["golang:1.25"]);
    expect(Object.keys(platforms["linux/arm64"]?.namedContexts ?? {})).toEqual(["node:22-slim"]);
  });

  it("reads only the stages the target needs", async () => {
    const { materials } = await resolve("FROM node:22-slim AS base\nFROM missing:1", { target: "base" });
    expect(materials.map(({ reference }) => reference)).toEqual(["node:22-slim"]);
  });

  it.each([
    [
      "a base without a wanted platform",
      "FROM golang:1.25",
      /line 1: the base "golang:1.25" has no image for linux\/arm64/,
    ],
    ["a base that does not exist", "FROM missing:1", /line 1: the base "missing:1" does not exist/],
  ])("fails before any build on %s", async (_case, text, message) => {
    const result = resolve(text);
    await expect(result).rejects.toBeInstanceOf(DockerfileError);
    await expect(result).rejects.toThrow(message);
  });

  it("never takes a registry's failure for a missing base, and keeps its cause", async () => {
    const outage = new Error("503");
    const registry: BaseRegistry = Object.assign(new FakeRegistry(), { lookUp: () => Promise.reject(outage) });
    const failure = await resolve("FROM node:22-slim", { registry }).catch((caught: unknown) => caught);
    expect(failure).toMatchObject({ cause: outage });
    expect((failure as Error).message).toMatch(/line 1: .*"docker.io\/library\/node:22-slim" cannot be looked up: 503/);
  });

  it("fails when the final base's layers cannot be had", async () => {
    class Broken extends FakeRegistry {
      override image(): Promise<BaseContent> {
        return Promise.reject(new Error("429"));
      }
    }
    await expect(resolve("FROM node:22-slim", { registry: new Broken() })).rejects.toThrow(/cannot be looked up: 429/);
  });

  it("names the app's own context when the final stage is built on it, and only then", async () => {
    const on = async (text: string) => {
      const { platforms } = await resolve(text, { provided: ["own"], platforms: ["linux/arm64"] });
      return platforms["linux/arm64"]?.finalContext;
    };
    expect(await on("FROM own\nRUN true\n")).toBe("own");
    expect(await on("FROM own AS one\nFROM one\n")).toBe("own");
    expect(await on("FROM own AS one\nFROM node:22-slim\nCOPY --from=one /a /a\n")).toBeUndefined();
  });

  const refusing = (reason: string) => Object.assign(new FakeRegistry(), { refusal: () => Promise.resolve(reason) });
  it.each([
    ["FROM", "FROM node:22-slim"],
    ["COPY --from", "FROM scratch\nCOPY --from=node:22-slim / /"],
    ["a mount", "FROM scratch\nRUN --mount=from=node:22-slim,target=/x cp -r /x /y"],
    ["a name made of arguments", "ARG N=node\nARG V=22\nFROM ${N}:${V}-slim"],
    ["a stage of the same name", "FROM node:22-slim AS node\nFROM scratch\nCOPY --from=node / /"],
    ["its frontend", "# syntax=docker/dockerfile:1\nFROM scratch"],
  ])("refuses an image that is not the app's to read, named by %s", async (_case, text) => {
    const result = resolve(text, { registry: refusing("it is private") });
    await expect(result).rejects.toBeInstanceOf(DockerfileError);
    await expect(result).rejects.toThrow(/may not be used: it is private/);
  });

  it("asks whether the bytes it pins may be used, not what their tag names", async () => {
    const asked: string[] = [];
    const refusal = (reference: string): Promise<undefined> => {
      asked.push(reference);
      return Promise.resolve(undefined);
    };
    await resolve("FROM node:22-slim", { registry: Object.assign(new FakeRegistry(), { refusal }) });
    expect(asked).toEqual([`docker.io/library/node@${node.digest}`]);
  });

  const stranger = "# syntax=node:22-slim\nFROM scratch";
  it("lets nobody but Docker read a Dockerfile, unless the app says so", async () => {
    await expect(resolve(stranger)).rejects.toThrow(/"node:22-slim" is not one of docker\/dockerfile, .*`frontends`/);
    const { frontend } = await resolve(stranger, { frontends: ["node"] });
    expect(frontend?.pinned).toBe(`docker.io/library/node@${node.digest}`);
  });

  it("refuses a frontend that would read the Dockerfile as this program does not", async () => {
    const image = () => Promise.resolve({ layers: [], triggers: [], labels: {} });
    const registry = Object.assign(new FakeRegistry(), { image });
    await expect(resolve("# syntax=docker/dockerfile:1\nFROM scratch", { registry })).rejects.toThrow(
      "accepted is version 1.4 or later",
    );
  });

  it.each(["${V#x}", "${V%x}", "${V/x/y}", "${V-x}", "${V:=x}"])(
    "refuses a here-document with %s on its line where a frontend is named: older ones take its body for instructions",
    async (substitution) => {
      const named = `# syntax=docker/dockerfile:1\nFROM scratch\nRUN V=${substitution} cat <<"RUN b"\nRUN a\nRUN b`;
      await expect(resolve(named)).rejects.toThrow("may not find the here-document of line 3");
      const plain = named.replace(substitution, "${V:-x}");
      await expect(resolve(plain)).resolves.toBeDefined();
      await expect(resolve(named, { frontends: ["docker/dockerfile"] })).resolves.toBeDefined();
      await expect(resolve(named.replace("cat <<", 'cat <<< "a" #'))).resolves.toBeDefined();
    },
  );

  it.each([
    ["COPY --from=ghcr.io/me/secret / /", "ghcr.io/me/secret"],
    ['RUN --mount="type=bind,from=ghcr.io/me/secret,target=/x" cp -r /x /y', "ghcr.io/me/secret"],
    ["COPY --from=stage / /", "stage"],
  ])("refuses a base that begins each build on it with %s", async (trigger, source) => {
    const image = () => Promise.resolve({ layers: [], triggers: ["RUN true", trigger], labels: {} });
    const registry = Object.assign(new FakeRegistry(), { image });
    await expect(
      resolve("FROM node:22-slim AS stage\nFROM scratch\nCOPY --from=stage / /", { registry }),
    ).rejects.toThrow(`files from "${source}"`);
  });

  it("looks at all that a stage of the building machine may stand on, whichever of them that takes", async () => {
    const image = (reference: string) =>
      Promise.resolve({ layers: [], triggers: reference.endsWith("4") ? ["COPY --from=secret / /"] : [], labels: {} });
    const registry = Object.assign(new FakeRegistry(), { image });
    const text = "FROM --platform=$BUILDPLATFORM node:22-slim AS tools\nFROM scratch\nCOPY --from=tools / /";
    await expect(resolve(text, { registry })).rejects.toThrow('files from "secret"');
  });

  it("refuses a Dockerfile whose finished image would do so", async () => {
    const text = "FROM node:22-slim\nONBUILD RUN true\nONBUILD COPY --from=ghcr.io/me/secret / /";
    await expect(resolve(text)).rejects.toThrow(
      'line 3: every build on the finished image would begin (ONBUILD) with files from "ghcr.io/me/secret"',
    );
    await expect(resolve("FROM node:22-slim\nONBUILD COPY --from=secret${TAG:-} / /")).rejects.toThrow(
      "secret${TAG:-}",
    );
    const own = `FROM node:22-slim AS middle\nONBUILD COPY --from=golang:1.25 / /\nFROM scratch`;
    await expect(resolve(own)).resolves.toBeDefined();
  });

  it("warns of a stage whose programs the builder of another platform has to run", async () => {
    const text = "FROM --platform=linux/amd64 node:22-slim AS tools\nRUN make\nFROM scratch\nCOPY --from=tools /a /a";
    const { warnings } = await resolve(text, { platforms: ["linux/amd64", "linux/arm64"] });
    expect(warnings).toEqual([
      expect.stringMatching(
        /line 1: stage "tools" runs programs of linux\/amd64: the builder of linux\/arm64 has to run/,
      ),
    ]);
    expect((await resolve(text.replace("RUN make\n", ""))).warnings).toEqual([]);
  });

  it("refuses a context of the app's that stands for a stage nobody needs", async () => {
    const text = "FROM node:22-slim AS left\nFROM node:22-slim";
    await expect(resolve(text, { provided: ["left"] })).rejects.toThrow(/uses no named context \["left"\]/);
  });
});
