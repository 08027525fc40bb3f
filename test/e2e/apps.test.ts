import { readFile, writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkImage } from "../../components/check/checkImage";
import { inspectImage } from "../../components/check/inspectImage";
import { parseDigest } from "../../components/model/digest";
import { RegistryClient } from "../../components/registry/registryClient";
import type { Sandbox } from "../../tools/sandbox/sandbox";
import { ImageView } from "./support/imageView";
import { MirrorUnderTest } from "./support/mirrorUnderTest";
import { changesOf, type PulumiRun } from "./support/pulumiRun";
import { helperProgram } from "./upstream/baseImages";
import { mattermostProgram, packagePath, putPackage, writeMattermost } from "./upstream/mattermost";
import { mostlymatterProgram, mostlymatterVersions, putBinary, writeMostlymatter } from "./upstream/mostlymatter";
import { writeOutline } from "./upstream/outline";
import { productionApps } from "./upstream/productionApps";

const run = promisify(execFile);
const platforms = ["linux/amd64", "linux/arm64"] as const;

/** What the stack says about the apps: stand-ins for upstream's hosts, and windows small enough for a test. */
function stackApps(sandbox: Sandbox, changes: Readonly<Record<string, object>> = {}) {
  const { git, files } = sandbox.urls;
  const apps = {
    mattermost: {
      repository: `${git}/mattermost/mattermost.git`,
      filesFrom: `${files}/releases.mattermost.com`,
      keep: { latest: 2, perMinor: 1, minors: 4 },
    },
    mostlymatter: {
      repository: `${git}/framasoft/framateam/mostlymatter.git`,
      filesFrom: `${files}/packages.framasoft.org`,
      keep: 3,
    },
    outline: { repository: `${git}/outline/outline.git`, keep: 2 },
    "base-outline": { repository: `${git}/outline/outline.git`, keep: 2 },
  };
  return Object.fromEntries(Object.entries(apps).map(([name, app]) => [name, { ...app, ...changes[name] }]));
}

/** What is in the windows of {@link stackApps}, highest first. */
const window = {
  mattermost: ["11.10.0", "11.9.1", "11.8.5", "11.7.9"],
  mostlymatter: ["11.9.1", "11.9.0", "11.8.5"],
  outline: ["1.9.2", "1.9.1"],
} as const;

describe("the apps of production, in a sandbox with upstreams of the same shape", () => {
  let mirror: MirrorUnderTest;
  let first: PulumiRun;

  beforeAll(async () => {
    mirror = await MirrorUnderTest.start({
      apps: async (sandbox) => {
        await Promise.all([writeMattermost(sandbox), writeMostlymatter(sandbox), writeOutline(sandbox)]);
        for (const platform of platforms) {
          for (const version of [...window.mattermost, "11.9.0"]) await putPackage(sandbox, version, platform);
          for (const version of window.mostlymatter) putBinary(sandbox, version, platform);
        }
        // Declared in the wrong order: what builds on another comes first.
        return productionApps("outline", "mostlymatter", "baseOutline", "mattermost");
      },
    });
    mirror.configure({ apps: stackApps(mirror.sandbox) });
    first = await mirror.up();
  });
  afterAll(() => mirror?.stop());

  it("publishes everything in one run", () => {
    expect(first.outputs.problems, first.output).toEqual([]);
    expect(first.outputs.missing).toEqual([]);
    expect(first.exitCode).toBe(0);
  });

  it.each(Object.entries({ ...window, "base-outline": window.outline }))(
    "tags exactly the window of %s, and lets latest and the lines follow the highest version",
    async (app, versions) => {
      const lines = versions.flatMap((version) => [version.split(".")[0], version.split(".").slice(0, 2).join(".")]);
      const floating = app === "base-outline" ? ["latest"] : ["latest", ...lines];
      expect(await mirror.registry.tags(app)).toEqual([...new Set([...versions, ...floating])].toSorted());
      expect(await mirror.registry.digest(app, "latest")).toBe(await mirror.registry.digest(app, versions[0] ?? ""));
      for (const version of versions) {
        expect(Object.keys((await mirror.registry.index(app, version)).platforms).toSorted()).toEqual(platforms);
      }
    },
  );

  it("has nothing to do when it runs again", async () => {
    mirror.mark();
    const again = await mirror.up();
    expect(again.exitCode, again.output).toBe(0);
    expect(changesOf(again)).toEqual([]);
    expect(mirror.writes()).toEqual([]);
  });

  it("labels each image with what it is and where it comes from", async () => {
    const { sandbox } = mirror;
    const commit = await upstreamCommit(mirror, "mattermost/mattermost", "v11.9.1");
    const image = await ImageView.of(mirror, "mattermost", "11.9.1", "linux/arm64");
    const prefix = "org.opencontainers.image";
    expect(await image.config()).toMatchObject({
      os: "linux",
      architecture: "arm64",
      config: { Cmd: ["/mattermost/bin/mattermost"], User: "2000", WorkingDir: "/mattermost" },
    });
    expect(await image.labels()).toMatchObject({
      [`${prefix}.title`]: "Mattermost",
      [`${prefix}.description`]: "Mattermost server, enterprise edition",
      [`${prefix}.version`]: "11.9.1",
      [`${prefix}.revision`]: commit,
      [`${prefix}.source`]: `${sandbox.urls.git}/mattermost/mattermost`,
      [`${prefix}.url`]: "https://mattermost.com",
      [`${prefix}.base.name`]: "gcr.io/distroless/base-debian12",
      [`${prefix}.base.digest`]: await baseDigest(mirror, "gcr.io/distroless/base-debian12:latest"),
      [`${prefix}.created`]: expect.stringMatching(/^2026-01-\d\dT/) as string,
      "io.github.multiarch-mirror.app": "mattermost",
      "io.github.multiarch-mirror.upstream-tag": "v11.9.1",
    });
  });

  it("names the image of the mirror that Mostlymatter is built on, published or not", async () => {
    for (const [version, published] of [
      ["11.9.1", true],
      ["11.9.0", false],
    ] as const) {
      const labels = await (await ImageView.of(mirror, "mostlymatter", version, "linux/amd64")).labels();
      const base = labels["org.opencontainers.image.base.digest"] ?? "";
      expect(labels["org.opencontainers.image.base.name"]).toBe(mirror.registry.name("mattermost", version));
      expect(await mirror.registry.digest("mattermost", base)).toBe(base);
      if (published) expect(base).toBe((await ImageView.of(mirror, "mattermost", version, "linux/amd64")).digest);
      expect((await mirror.registry.tags("mattermost")).includes(version)).toBe(published);
    }
  });

  it("has the fork's program in every image of Mostlymatter, and Mattermost's in those of Mattermost", async () => {
    for (const platform of platforms) {
      for (const version of window.mostlymatter) {
        const image = await ImageView.of(mirror, "mostlymatter", version, platform);
        expect(await image.file("/mattermost/bin/mattermost")).toEqual(mostlymatterProgram(version, platform));
      }
      const image = await ImageView.of(mirror, "mattermost", "11.9.1", platform);
      expect(await image.file("/mattermost/bin/mattermost")).toEqual(mattermostProgram("11.9.1", platform));
    }
  });

  it("makes each image of Outline from the base of the same version and platform, found by digest", async () => {
    const { resources } = await mirror.exportState();
    for (const version of window.outline) {
      for (const [platform, machine] of [
        ["linux/amd64", "x86_64"],
        ["linux/arm64", "aarch64"],
      ] as const) {
        const image = await ImageView.of(mirror, "outline", version, platform);
        expect(JSON.parse((await image.file("/opt/outline/build/base-package.json")).toString())).toMatchObject({
          version,
        });
        expect((await image.file("/opt/outline/build/machine")).toString().trim()).toBe(machine);
        const base = await ImageView.of(mirror, "base-outline", version, platform);
        const slug = platform.replace("/", "-");
        const declared = resources.find(({ urn }) => urn.endsWith(`::outline-${version}-${slug}`));
        expect(declared?.inputs).toMatchObject({
          context: {
            named: { "outlinewiki/outline-base": { location: expect.stringMatching(byDigest(base)) as string } },
          },
        });
      }
    }
  });

  it("puts helper programs of the right architecture into images whose Dockerfile pins amd64 alone", async () => {
    // The Dockerfile of 11.8.5 pins a manifest of amd64; that of 11.9.1 an index.
    for (const version of ["11.8.5", "11.9.1"]) {
      for (const platform of platforms) {
        const image = await ImageView.of(mirror, "mattermost", version, platform);
        expect(await image.file("/usr/bin/helper")).toEqual(helperProgram(platform));
      }
    }
  });

  it("would not have tagged an image with the helpers of that pin", async () => {
    const { sandbox } = mirror;
    const commit = await upstreamCommit(mirror, "mattermost/mattermost", "v11.8.5");
    const repository = mirror.registry.name("unresolved");
    const source = `${sandbox.urls.git}/mattermost/mattermost.git?tag=v11.8.5&checksum=${commit}&subdir=server/build`;
    const package_ = `${sandbox.urls.files}/${packagePath("11.8.5", "arm64")}`;
    await build(
      mirror,
      ...["--platform", "linux/arm64", "--provenance=false", "--build-arg", `MM_PACKAGE=${package_}`],
      ...["--tag", `${repository}:test`, "--push", source],
    );
    const client = new RegistryClient({ environment: mirror.environment() });
    const check = checkImage({
      inspect: (subject) => inspectImage(subject, client),
      repository,
      digest: parseDigest(await mirror.registry.digest("unresolved", "test")),
      platform: "linux/arm64",
      environment: mirror.environment(),
    });
    await expect(check).rejects.toThrow(/"\/usr\/bin\/helper" is an executable for amd64 .*wanted is linux\/arm64/);
    await client.close();
  });

  it("changes nothing when the apps are declared in another order", async () => {
    mirror.setApps(productionApps("mattermost", "baseOutline", "mostlymatter", "outline"));
    const other = await mirror.preview();
    expect(other.exitCode, other.output).toBe(0);
    expect(changesOf(other)).toEqual([]);
  });

  it("leaves versions of Mostlymatter untagged whose program is not the fork's, and says why", async () => {
    const { sandbox } = mirror;
    const before = await mirror.registry.tags("mostlymatter");
    const page = Buffer.from("<!DOCTYPE html><html><title>502 Bad Gateway</title></html>\n");
    const versions = ["11.8.4", "11.7.9", "11.7.8", "11.7.6"];
    for (const version of versions) {
      for (const platform of platforms) {
        await putPackage(sandbox, version, platform);
        putBinary(sandbox, version, platform);
      }
    }
    // Mattermost's own program under the fork's name, with a sum that fits.
    putBinary(sandbox, "11.8.4", "linux/amd64", mattermostProgram("11.8.4", "linux/amd64"));
    // An error page, with the sum of the program and with a sum of its own.
    putBinary(sandbox, "11.7.9", "linux/arm64", page, mostlymatterProgram("11.7.9", "linux/arm64"));
    putBinary(sandbox, "11.7.8", "linux/arm64", page);
    // The program of the other architecture.
    putBinary(sandbox, "11.7.6", "linux/arm64", mostlymatterProgram("11.7.6", "linux/amd64"));
    mirror.configure({ apps: stackApps(sandbox, { mostlymatter: { keep: 7 } }) });
    const outcome = await mirror.up();
    expect(outcome.exitCode).not.toBe(0);
    const reason = (version: string) =>
      outcome.outputs.problems?.filter((problem) => problem.includes(version)).join("\n");
    expect(reason("11.8.4")).toMatch(
      /"\/mattermost\/bin\/mattermost" is byte for byte the one of the image it is built on/,
    );
    expect(reason("11.7.9")).toMatch(/mostlymatter-arm64-v11\.7\.9" has the sha512 .*, but .* is published/);
    expect(reason("11.7.8")).toMatch(
      /"\/mattermost\/bin\/mattermost", which is neither an ELF program nor a script but an HTML or XML page/,
    );
    expect(reason("11.7.6")).toMatch(/"\/mattermost\/bin\/mattermost" is an executable for amd64/);
    expect(await mirror.registry.tags("mostlymatter")).toEqual(before);
  });

  it("leaves a version untagged when the build did not put the program into the image", async () => {
    for (const platform of platforms) {
      await putPackage(mirror.sandbox, "11.7.4", platform);
      putBinary(mirror.sandbox, "11.7.4", platform);
    }
    const keep = { keep: 1, exclude: mostlymatterVersions.filter((version) => version !== "11.7.4") };
    mirror.configure({ apps: stackApps(mirror.sandbox, { mostlymatter: keep }) });
    const file = join(mirror.program, "apps", "mostlymatter.Dockerfile");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace(/^ADD.*$/m, "ADD --checksum=${BINARY_CHECKSUM} ${BINARY_URL} /mattermost/bin/other"),
    );
    const outcome = await mirror.up();
    await writeFile(file, text);
    expect(outcome.outputs.problems?.join("\n")).toMatch(
      /11\.7\.4[^]*file "\/mattermost\/bin\/mattermost" has sha256:\w+, expected is sha256:/,
    );
    expect(await mirror.registry.tags("mostlymatter")).not.toContain("11.7.4");
  });

  it("shows a version without its arm64 package as not offered, which is no failure", async () => {
    const { sandbox } = mirror;
    await putPackage(sandbox, "11.6.6", "linux/amd64");
    // One that is built on a Mattermost nobody publishes: what that lacks is not offered either.
    await putPackage(sandbox, "11.6.5", "linux/amd64");
    for (const platform of platforms) putBinary(sandbox, "11.6.5", platform);
    const exclude = mostlymatterVersions.filter((version) => version !== "11.6.5");
    mirror.configure({ apps: stackApps(sandbox, { ...withFifthLine, mostlymatter: { keep: 1, exclude } }) });
    const preview = await mirror.preview();
    expect(preview.exitCode, preview.output).toBe(0);
    expect(preview.output).toMatch(/^\s*11\.6\.6 .*not offered/m);
    expect(preview.output).toMatch(/11\.6\.5 linux\/arm64: its base mattermost 11\.6\.5: .*arm64.* answers 404/);
    const outcome = await mirror.up();
    expect(outcome.exitCode, outcome.output).toBe(0);
    expect(outcome.outputs.missing).toEqual(["mattermost 11.6.6", "mostlymatter 11.6.5"]);
    expect(await mirror.registry.tags("mattermost")).not.toContain("11.6.6");
  });

  it("publishes such a version for amd64 alone when the app allows it, and completes it when the package appears", async () => {
    const { mattermost = "", ...others } = productionApps("mattermost", "baseOutline", "mostlymatter", "outline");
    const allowed = mattermost.replace("  files: ", '  platformsRequired: ["linux/amd64"],\n  files: ');
    mirror.setApps({ ...others, mattermost: allowed });
    const latest = await mirror.registry.digest("mattermost", "latest");
    const outcome = await mirror.up();
    expect(outcome.exitCode, outcome.output).toBe(0);
    const alone = await mirror.registry.index("mattermost", "11.6.6");
    expect(Object.keys(alone.platforms)).toEqual(["linux/amd64"]);
    expect(changesOf(await mirror.preview())).toEqual([]);
    await putPackage(mirror.sandbox, "11.6.6", "linux/arm64");
    const second = await mirror.up();
    expect(second.exitCode, second.output).toBe(0);
    const complete = await mirror.registry.index("mattermost", "11.6.6");
    expect(complete.platforms).toEqual({
      "linux/amd64": alone.platforms["linux/amd64"],
      "linux/arm64": expect.stringMatching(/^sha256:/) as string,
    });
    expect(await mirror.registry.digest("mattermost", "11.6")).toBe(complete.digest);
    expect(await mirror.registry.digest("mattermost", "latest")).toBe(latest);
  });
});

/** One line more than in {@link window}: 11.6, whose highest version is 11.6.6. */
const withFifthLine = { mattermost: { keep: { latest: 2, perMinor: 1, minors: 5 } } };

/** A named context that holds the image by its digest; a tag beside it says nothing. */
function byDigest({ name }: ImageView): RegExp {
  const [repository = "", digest = ""] = name.split("@");
  return new RegExp(`^docker-image://${repository}(:latest)?@${digest}$`);
}

/** Digest of a base image in the sandbox's registry. */
function baseDigest(mirror: MirrorUnderTest, name: string): Promise<string> {
  return mirror.registry.regctl("manifest", "head", `${mirror.sandbox.urls.registry}/${name}`);
}

/** The commit a tag names in the sandbox's git server. */
async function upstreamCommit(mirror: MirrorUnderTest, repository: string, tag: string): Promise<string> {
  const url = `${mirror.sandbox.urls.git}/${repository}.git`;
  const { stdout } = await run("git", ["ls-remote", url, `refs/tags/${tag}`, `refs/tags/${tag}^{}`]);
  // The peeled line of an annotated tag comes last.
  return stdout.trim().split("\n").at(-1)?.split("\t")[0] ?? "";
}

/** A build as anybody would do it, without this program. */
async function build(mirror: MirrorUnderTest, ...args: readonly string[]): Promise<void> {
  await run("buildx", ["build", "--builder", "mirror", ...args], { env: mirror.environment(), timeout: 600_000 });
}
