import { describe, expect, it } from "vitest";
import { checkBeforeTag, describeCheck } from "../../components/check/checkBeforeTag";
import { checkApps } from "../../components/config/checkApps";
import type { AppSpecification } from "../../components/model/appSpecification";
import { planApp } from "../../components/plan/planApp";
import {
  configuration,
  digestOf,
  elf,
  imageDigest,
  inspectIn,
  type Layer,
  layer,
  MemoryRegistry,
  program,
  repository,
} from "./memoryImage";
import { planned } from "../declare/plans";
import { arm, FakeEdges, release, request, settings } from "../plan/fakeEdges";
import type { ImageToCheck } from "../../components/check/checkBeforeTag";

const server = program("app/server");
const firmware = program("opt/firmware/board", "linux/amd64");
const file = "https://files.example/server";
const source = { kind: "gitTags", url: "https://git.example/app.git" } as const;

/** What an app file says, checked and planned as in a run, and judged on a finished image. */
async function judged(
  fields: Partial<AppSpecification>,
  layers: readonly Layer[],
  over: { readonly recipe?: ImageToCheck["recipe"] | undefined } = {},
): Promise<unknown> {
  const files = (): ReturnType<NonNullable<AppSpecification["files"]>> => [{ url: file, sha256: "0".repeat(64) }];
  const app: AppSpecification = { name: "app", source, files, ...fields };
  expect(checkApps([app], { exists: () => true })).toEqual([]);
  const onlyArm = { ...settings, platforms: [arm], platformsRequired: [arm] };
  const asked = request({ specification: app, settings: onlyArm });
  const { versions, specification } = await planApp(asked, new FakeEdges([release("1.0.0")]));
  const [version] = versions;
  const [recipe] = version?.recipes ?? [];
  if (!version || !recipe) throw new Error("the version is not to be built");
  const registry = new MemoryRegistry(layers, configuration({ command: ["/app/server"] }));
  const reference = `${repository}@${imageDigest}`;
  const used = "recipe" in over ? over.recipe : recipe;
  const image = { reference, platform: arm, specification, planned: version, ...(used && { recipe: used }) };
  return checkBeforeTag(image, inspectIn(registry), "builder");
}

describe("programs for other machines", () => {
  it("keep a version untagged when the app's file says nothing of them", async () => {
    const image = [await layer(server, firmware)];
    await expect(judged({}, image)).rejects.toThrow(/"\/opt\/firmware\/board" is an executable for amd64/);
  });

  it.each(["/opt/firmware", "/opt/firmware/board", "/opt"])("pass where it says that they belong: %s", async (path) => {
    await expect(judged({ foreign: [path] }, [await layer(server, firmware)])).resolves.toBeDefined();
  });

  it("pass nowhere else, and what the image starts has to fit all the same", async () => {
    const elsewhere = program("usr/bin/helper", "linux/amd64");
    const image = [await layer(server, firmware, elsewhere)];
    await expect(judged({ foreign: ["/opt/firmware"] }, image)).rejects.toThrow(
      /"\/usr\/bin\/helper" is an executable/,
    );
    const wrong = [await layer(program("app/server", "linux/amd64"))];
    await expect(judged({ foreign: ["/app"] }, wrong)).rejects.toThrow(/"\/app\/server".* amd64/);
  });

  it("pass in images of build runs and of upstream too, which come without a recipe", async () => {
    const image = [await layer(server, firmware)];
    const smoke = { command: ["/app/server"], expect: () => /never run/ };
    await expect(judged({ foreign: ["/opt"], smoke }, image, { recipe: undefined })).resolves.toBeDefined();
  });
});

describe("an image of upstream's that is to be copied", () => {
  const copied = { recipe: undefined };

  it("is refused when its programs are of another machine, or what it starts is not in it", async () => {
    const wrong = [await layer(server, program("usr/bin/helper", "linux/amd64"))];
    await expect(judged({}, wrong, copied)).rejects.toThrow(/"\/usr\/bin\/helper" is an executable for amd64/);
    const empty = [await layer(program("usr/bin/helper"))];
    await expect(judged({}, empty, copied)).rejects.toThrow(/command "\/app\/server" is not in the image/);
  });

  it("passes when all of it fits, and is not run: whoever copies need not be able to", async () => {
    const smoke = { command: ["/app/server"], expect: () => /never run/ };
    await expect(judged({ smoke }, [await layer(server)], copied)).resolves.toMatchObject({ checkedFiles: 1 });
  });
});

describe("a file that has to be upstream's", () => {
  const identical = { path: "/app/server", file: () => file };
  const own = digestOf(elf("linux/arm64"));

  it("is compared with the checksum of the build's recipe", async () => {
    const image = [await layer(server)];
    const recipe = { ...made, fileChecksums: { [file]: own } };
    await expect(judged({ identical }, image, { recipe })).resolves.toBeDefined();
    const other = { ...made, fileChecksums: { [file]: digestOf(Buffer.from("other")) } };
    await expect(judged({ identical }, image, { recipe: other })).rejects.toThrow(/"\/app\/server" has sha256:/);
  });

  it("must take the place of another where the app says so", async () => {
    const recipe = { ...made, fileChecksums: { [file]: own } };
    const replacing = { identical: { ...identical, replaces: true } };
    await expect(judged(replacing, [await layer(server)], { recipe })).rejects.toThrow(/replaces nothing/);
  });

  it("keeps the version untagged when nobody knows its checksum", async () => {
    await expect(judged({ identical }, [await layer(server)])).rejects.toThrow(/checksum of .*server.* is not known/);
  });
});

const made = {
  ...{
    platform: arm,
    context: "",
    dockerfile: { path: "Dockerfile", sha256: "e".repeat(64) },
    buildArguments: {},
    namedContexts: {},
  },
  ...{ labels: {}, bases: [], fileChecksums: {}, limitSeconds: 3600 },
};

describe("a passed check", () => {
  const image = {
    ...{ reference: repository, platform: arm, specification: { name: "app", source } },
    planned: planned({ version: "1.0.0" }),
  };

  it("says what looking cost and what running cost", () => {
    const report = { checkedFiles: 57, bytesRead: 1_250_000, milliseconds: 1500 };
    const line = "app 1.0.0 linux/arm64: 57 programs checked in 1.5 s, 1.3 MB read";
    expect(describeCheck(image, report)).toBe(line);
    const smoke = { output: "", milliseconds: 1200 };
    expect(describeCheck(image, { ...report, checkedFiles: 1, smoke })).toBe(
      "app 1.0.0 linux/arm64: 1 program checked in 0.3 s, 1.3 MB read; its smoke command took 1.2 s",
    );
  });
});
