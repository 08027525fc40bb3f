import { describe, expect, it } from "vitest";
import type { AppSpecification } from "../../components/model/appSpecification";
import type { AppBase } from "../../components/plan/appBases";
import { type RecipeEdges, prepareBuild } from "../../components/plan/buildRecipes";
import type { SourceRequest } from "../../components/plan/sourceFiles";
import { amd, arm, digest, release, settings, specification } from "./fakeEdges";

/** Prepares version 1.2.3 from a tree of these files. */
async function prepare(
  over: Partial<AppSpecification>,
  tree: Readonly<Record<string, string>>,
  asked?: SourceRequest[],
  base?: AppBase,
  linked: readonly string[] = [],
) {
  const edges: RecipeEdges = {
    readSource: async (request) => {
      asked?.push(request);
      return {
        files: new Map(request.paths.map((path) => [path, tree[path]])),
        linked,
        committedAt: "2026-01-01T00:00:00Z",
      };
    },
    checksums: async () => ({}),
    appBases: { find: () => (base ? Promise.resolve(base) : Promise.reject(new Error("no base"))) },
    bases: () => ({
      lookUp: async (reference) => ({
        kind: "index",
        digest: digest(reference),
        platforms: { [amd]: digest(`${reference} amd`), [arm]: digest(`${reference} arm`) },
      }),
      image: async (reference) => ({
        layers: [],
        triggers: reference.startsWith("registry.example/mirror/base@") ? ["COPY --from=secret / /"] : [],
        labels: { "moby.buildkit.frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts" },
      }),
      refusal: async () => undefined,
    }),
  };
  return prepareBuild(
    { specification: { ...specification, ...over }, settings, release: release("1.2.3"), platforms: [amd, arm] },
    edges,
  );
}

describe("prepareBuild", () => {
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ["has another encoding in it", { ".gitattributes": "Dockerfile working-tree-encoding=SHIFT_JIS" }, []],
    ["has it by a macro", { "build/.gitattributes": "[attr]odd working-tree-encoding=ASCII//TRANSLIT\n* odd" }, []],
    ["writes the name of the file's content into it", { ".gitattributes": "* ident" }, []],
    ["is read through a link, beside attributes nobody asked for", {}, ["build/Dockerfile"]],
  ])("hands over a Dockerfile's own text where the builder's checkout %s", async (_, attributes, linked) => {
    const tree = { "build/Dockerfile": "FROM scratch" };
    const over = { subdirectory: "build" };
    const handed = async (files: Readonly<Record<string, string>>, through: readonly string[]) =>
      (await prepare(over, { ...tree, ...files }, [], undefined, through)).recipes[0]?.dockerfile.inline;
    expect(await handed(attributes, linked)).toBe("FROM scratch");
    expect(await handed({ ".gitattributes": "* text=auto eol=lf" }, [])).toBeUndefined();
  });

  it("refuses a published base that begins each build on it with files from elsewhere", async () => {
    const location = `docker-image://registry.example/mirror/base@${digest("base")}`;
    const base: AppBase = {
      ...{ specification, settings, repository: "registry.example/mirror/base" },
      tagged: "registry.example/mirror/base:1.2.3",
      contexts: { [amd]: { kind: "reference", location }, [arm]: { kind: "reference", location } },
      release: () => Promise.resolve(release("1.2.3")),
    };
    const built = prepare({ bases: [{ context: "below", app: "base" }] }, { Dockerfile: "FROM below" }, [], base);
    await expect(built).rejects.toThrow(
      'its base base 1.2.3 begins each build on it (ONBUILD) with files from "secret", which cannot be pinned',
    );
  });

  const each = { [amd]: "Dockerfile", [arm]: "Dockerfile-arm64" };

  it("builds each platform from its own Dockerfile, with the bases of that one", async () => {
    const asked: SourceRequest[] = [];
    const tree = {
      "app/Dockerfile": "FROM debian:12\n",
      "app/Dockerfile-arm64": "# syntax=docker/dockerfile:1\nFROM alpine:3\n",
    };
    const { recipes } = await prepare({ dockerfile: each, subdirectory: "app" }, tree, asked);
    expect(
      recipes.map(({ platform, dockerfile, bases, frontend }) => [
        platform,
        dockerfile.path,
        dockerfile.inline,
        bases.map(({ reference }) => reference),
        frontend?.reference,
      ]),
    ).toEqual([
      [amd, "app/Dockerfile", tree["app/Dockerfile"], ["debian:12"], undefined],
      [arm, "app/Dockerfile-arm64", tree["app/Dockerfile-arm64"], ["alpine:3"], "docker/dockerfile:1"],
    ]);
    expect(asked.map(({ needed }) => needed)).toEqual([["app/Dockerfile", "app/Dockerfile-arm64"]]);
  });

  it("reads a Dockerfile of this project that is for one platform alone", async () => {
    const own = { [amd]: "apps/mostlymatter.Dockerfile", [arm]: "apps/staticProgram.Dockerfile" };
    const asked: SourceRequest[] = [];
    const { recipes } = await prepare({ ownDockerfile: own }, {}, asked);
    expect(recipes.map(({ dockerfile }) => dockerfile.path)).toEqual(Object.values(own));
    expect(recipes[1]?.bases.map(({ reference }) => reference)).toEqual(["alpine:3"]);
    // Nothing of upstream's says how a file of this project is read.
    expect(asked.map(({ paths }) => paths)).toEqual([[".gitattributes", ".gitmodules"]]);
  });

  it("fails for a platform no Dockerfile is named for, and for one that the commit lacks", async () => {
    await expect(prepare({ dockerfile: { [amd]: "Dockerfile" } }, {})).rejects.toThrow(
      'app "app" has no Dockerfile for linux/arm64; it names one for linux/amd64',
    );
    await expect(prepare({ dockerfile: each }, { Dockerfile: "FROM scratch\n" })).rejects.toThrow(
      /has no file "Dockerfile-arm64"/,
    );
  });

  const go = { GO_VERSION: { path: "go.mod", pattern: /^go (\d+\.\d+(?:\.\d+)?)$/m }, NODE: { path: ".node-version" } };
  const dockerfile = "ARG GO_VERSION=1\nFROM golang:${GO_VERSION}\n";

  it("hands over what files of the tree say, to the Dockerfile's own FROM too", async () => {
    const tree = { Dockerfile: dockerfile, "go.mod": "module x\n\ngo 1.25.1\n", ".node-version": " v22.1.0\n" };
    const { recipes } = await prepare(
      { argumentsFromFiles: go, buildArguments: () => ({ GO_VERSION: "1", A: "b" }) },
      tree,
    );
    expect(recipes.map(({ buildArguments }) => buildArguments)).toEqual(
      [amd, arm].map(() => ({ A: "b", GO_VERSION: "1.25.1", NODE: "v22.1.0" })),
    );
    expect(recipes[0]?.bases.map(({ reference }) => reference)).toEqual(["golang:1.25.1"]);
  });

  it.each([
    [{ "go.mod": "module x\n", ".node-version": "22" }, /GO_VERSION cannot be read from "go.mod" .* does not match/],
    [{ "go.mod": "go 1.25\n" }, /has no file ".node-version"/],
    [{ "go.mod": "go 1.25\n", ".node-version": "22; id" }, /NODE .*"22; id" is not accepted/],
    [{ "go.mod": "go 1.25\n", ".node-version": "$(id)" }, /is not accepted/],
    [{ "go.mod": "go 1.25\n", ".node-version": "22\nRUN id" }, /is not accepted/],
    [{ "go.mod": "go 1.25\n", ".node-version": "" }, /is not accepted/],
  ])("does not build with a value it cannot tell, or that is no plain word: %j", async (files, message) => {
    await expect(prepare({ argumentsFromFiles: go }, { Dockerfile: dockerfile, ...files })).rejects.toThrow(message);
  });

  it("does not build with a pattern that would not end on a file made for it", async () => {
    const slow = { GO_VERSION: { path: "go.mod", pattern: /^((?:\d+\.?)+)$/ } };
    const tree = { Dockerfile: dockerfile, "go.mod": `${"1".repeat(200)}x` };
    await expect(prepare({ argumentsFromFiles: slow }, tree)).rejects.toThrow(
      /GO_VERSION cannot be read from "go.mod" .* took longer than 5 s, the most it may/,
    );
  });
});
