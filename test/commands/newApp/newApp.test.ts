import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOutside, type Outside } from "../../../commands/newApp/outside";
import { type NewAppRequest, newApp } from "../../../commands/newApp/newApp";
import { checkApps } from "../../../components/config/checkApps";
import { discover } from "../../../components/discover/discover";
import type { AppSpecification } from "../../../components/model/appSpecification";
import { type GitCommit, writeGitRepository } from "../../../tools/sandbox/gitRepository";
import { createGitServer } from "../../../tools/sandbox/gitServer";
import { windowOf } from "../../apps/target";
import { FakeRegistry } from "../../registry/fakeRegistry";

let folder: string;
let server: Server;
let registry: FakeRegistry;
let origin: string;
let outside: Outside;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mirror-new-app-"));
  registry = await new FakeRegistry().start();
  registry.index("library/debian", "12", ["amd64", "arm64"]);
  registry.index("library/amdonly", "1", ["amd64"]);
  registry.index("owner/official", "1.4.0", ["amd64"]);
  server = createGitServer(join(folder, "git"), join(folder, "releases"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const mirrors = JSON.stringify({ "docker.io": registry.host, "ghcr.io": `${registry.host}/ghcr` });
  outside = openOutside({ ...process.env, MIRROR_CACHE: join(folder, "cache"), MIRROR_REGISTRY_MIRRORS: mirrors });
}, 60_000);

afterAll(async () => {
  await outside.close();
  server.closeAllConnections();
  server.close();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Files = GitCommit["files"];
const plain: Files = {
  Dockerfile: "FROM debian:12\nCOPY . /app\n",
  LICENSE: "Permission is hereby granted, free of charge, …",
};

async function repository(name: string, files: Files, tags: readonly string[], more: Partial<GitCommit> = {}) {
  await writeGitRepository(join(folder, "git", `${name}.git`), [
    { files: { ...files, "first.txt": "" }, tags: tags.slice(0, 1), ...more },
    { files, tags: tags.slice(1), ...more },
  ]);
  return `${origin}/${name}.git`;
}

/** A project with a list of one app, as `npm run new-app` finds it. */
function project(): string {
  const root = mkdtempSync(join(folder, "project-"));
  mkdirSync(join(root, "apps"));
  mkdirSync(join(root, "test/apps"), { recursive: true });
  cpSync("apps/index.ts", join(root, "apps/index.ts"));
  return root;
}

async function run(url: string, over: Partial<NewAppRequest> = {}) {
  const said: string[] = [];
  const root = over.root ?? project();
  const request = { repository: url, root, known: [], say: (line: string) => said.push(line), ...over };
  const draft = await newApp(request, outside, (text) => format(text, { parser: "typescript", printWidth: 120 }));
  return { draft, said, root };
}

/** The app as the program would load it. */
async function written(root: string, variable: string): Promise<AppSpecification> {
  const loaded = (await import(/* @vite-ignore */ join(root, `apps/${variable}.ts`))) as Record<
    string,
    AppSpecification
  >;
  const app = loaded[variable];
  if (!app) throw new Error(`apps/${variable}.ts exports no ${variable}`);
  return app;
}

describe("npm run new-app", () => {
  it.each([
    ["plain", ["v1.4.0", "v1.3.9", "v1.5.0-rc1", "v1.4", "v1"], ["1.4.0", "1.3.9"]],
    ["builds", ["stable-11146-2", "stable-11146-1", "stable-9823", "nightly-20260101"], ["11146-2", "11146-1", "9823"]],
    [
      "times",
      ["RELEASE.2025-10-15T17-29-55Z", "RELEASE.2025-09-07T16-13-09Z"],
      ["2025-10-15T17-29-55", "2025-09-07T16-13-09"],
    ],
    ["revisions", ["docker/4.6.2-r13", "docker/4.6.2-r9", "docker/4.6.1-r0"], ["4.6.2-r13", "4.6.2-r9", "4.6.1-r0"]],
    ["beginnings", ["v4.1", "v4.1.1", "v4", "v3.9"], ["4.1.1", "4.1", "3.9"]],
    ["moving", ["v1.1.0", "v1.2.1", "v1.2", "v1"], ["1.2.1", "1.1.0"]],
    ["calendar", ["2026.07.2", "2026.07.1", "2025.11.1"], ["2026.07.2", "2026.07.1", "2025.11.1"]],
  ])("writes an app that mirrors what a person would say: %s", async (name, tags, versions) => {
    const url = await repository(`owner/${name}`, plain, tags);
    const { root, said } = await run(url);
    const app = await written(root, name);
    expect(checkApps([app])).toEqual([]);
    expect(app).toMatchObject({ name, licenses: "MIT", source: { kind: "gitTags", url } });
    const { releases } = await discover(app, { edges: outside.upstream });
    expect(releases.map(({ version }) => version)).toEqual(versions);
    expect(said).toContain(`would be mirrored: ${versions.join(" ")}`);
    expect(said).toContain("nothing is in the way");
    const index = readFileSync(join(root, "apps/index.ts"), "utf8");
    expect(index).toContain(`import { ${name} } from "./${name}";`);
    expect(index.replace(/\s+/g, " ")).toMatch(new RegExp(`esbuild\\b[^]*, ${name},? ?\\];`));
    const test = readFileSync(join(root, `test/apps/${name}.test.ts`), "utf8");
    for (const version of versions) expect(test).toContain(JSON.stringify(version));
    const [, listed = ""] = /const tags =\s*("[^"]*")/.exec(test) ?? [];
    expect(windowOf(app, (JSON.parse(listed) as string).split(" "), versions.length)).toEqual(versions);
  });

  it("lists whole tags in the test, however many there are", async () => {
    const tags = Array.from({ length: 70 }, (_, number) => `release-candidate-free-1.${number}.0`);
    const { root } = await run(await repository("owner/many", plain, tags));
    const [, listed = ""] =
      /const tags =\s*("[^"]*")/.exec(readFileSync(join(root, "test/apps/many.test.ts"), "utf8")) ?? [];
    expect(tags).toEqual(expect.arrayContaining((JSON.parse(listed) as string).split(" ")));
  });

  it("takes the whole repository for the context of a Dockerfile elsewhere that copies it", async () => {
    for (const [name, copy] of [
      ["dot", "COPY . /app"],
      ["slash", "COPY / /app/"],
    ] as const) {
      const files = { "docker/Dockerfile": `FROM debian:12\n${copy}\n`, "docker/start.sh": "", "main.c": "" };
      const { root } = await run(await repository(`owner/${name}`, files, ["v1.0.0", "v0.9.0"]));
      const app = await written(root, name);
      expect(app).toMatchObject({ dockerfile: "docker/Dockerfile" });
      expect(app.subdirectory).toBeUndefined();
    }
  });

  it("prefers a forge's releases, with what upstream flags, to tags", async () => {
    const url = await repository("owner/forged", plain, ["v2.0.0", "v1.0.0", "v3.0.0"]);
    mkdirSync(join(folder, "releases/owner"), { recursive: true });
    const releases = [{ tag_name: "v3.0.0", prerelease: true }, { tag_name: "v2.0.0" }, { tag_name: "v1.0.0" }];
    writeFileSync(join(folder, "releases/owner/forged.json"), JSON.stringify(releases));
    const { draft } = await run(url);
    expect(draft.versions.source.kind).toBe("gitlabReleases");
  });

  it("reads the tags where the releases are behind them", async () => {
    const url = await repository("owner/behind", plain, ["v2.0.0", "v1.0.0"]);
    mkdirSync(join(folder, "releases/owner"), { recursive: true });
    writeFileSync(join(folder, "releases/owner/behind.json"), JSON.stringify([{ tag_name: "v1.0.0" }]));
    const { draft, said } = await run(url);
    expect(draft.versions.source.kind).toBe("gitTags");
    expect(said.join("\n")).toMatch(/highest release is v1\.0\.0, but there is a tag v2\.0\.0/);
  });

  it("finds Dockerfile, context, one for each architecture, and upstream's own image", async () => {
    const files = {
      "server/src/main.c": "",
      "server/docker/Dockerfile": "FROM debian:12\nCOPY src /src\n",
      "server/docker/Dockerfile-arm64": "FROM debian:12\nCOPY src /src\n",
      "server/docker/src/main.c": "",
      "test/Dockerfile": "FROM scratch\n",
      "README.md": "Run it:\n\n    docker run -p 80:80 owner/official:1.4.0\n",
    };
    const url = await repository("owner/official", files, ["v1.4.0", "v1.3.0"]);
    const { root, said } = await run(url, { name: "other-name" });
    const app = await written(root, "otherName");
    expect(app).toMatchObject({
      subdirectory: "server/docker",
      dockerfile: { "linux/amd64": "Dockerfile", "linux/arm64": "Dockerfile-arm64" },
    });
    expect(app.official?.reference({ version: "1.4.0", tag: "v1.4.0" })).toBe("docker.io/owner/official:1.4.0");
    expect(said).toContain("upstream's own image: docker.io/owner/official (linux/amd64)");
  });

  it("says what would stop the build: a base without a platform, an argument without a value, an older tree without the Dockerfile", async () => {
    const url = `${origin}/owner/stopped.git`;
    await writeGitRepository(join(folder, "git/owner/stopped.git"), [
      { files: { README: "" }, tags: ["v1.0.0"] },
      { files: { Dockerfile: "FROM amdonly:1\nARG VERSION\nRUN x\n" }, tags: ["v1.1.0"] },
    ]);
    const { draft, said, root } = await run(url);
    expect(draft.build.platforms).toEqual(["linux/amd64"]);
    expect(said).toContain("in the way: its base amdonly:1 is not there for linux/arm64");
    expect(said).toContain("in the way: v1.0.0, the oldest of them, has no Dockerfile");
    expect(said.join("\n")).toMatch(/arguments without a value: VERSION/);
    expect((await written(root, "stopped")).platforms).toEqual(["linux/amd64"]);
  });

  it("calls a repository with a name like any other by its owner", async () => {
    const { draft, said } = await run(await repository("somebody/v2", plain, ["v1.0.0"]));
    expect(draft.name).toBe("somebody");
    expect(said).toContain("built in . from Dockerfile");
  });

  it("says that upstream's own image could not be looked up", async () => {
    const url = await repository("owner/unseen", plain, ["v1.0.0"]);
    registry.answer(/owner\/unseen/, { status: 403 });
    const { said } = await run(url);
    expect(said.join("\n")).toMatch(/own image: none found, but not all could be looked up: .*403/);
  });

  it("follows a branch where no tag reads as a version", async () => {
    const url = await repository("owner/branch", plain, ["nightly"], { branch: "master" });
    const { root } = await run(url);
    expect((await written(root, "branch")).source).toEqual({ kind: "gitBranch", url, branch: "master" });
  });

  it("never overwrites, and writes nothing when something is in the way of writing", async () => {
    const url = await repository("owner/taken", plain, ["v1.0.0"]);
    const root = project();
    writeFileSync(join(root, "test/apps/taken.test.ts"), "mine");
    const index = readFileSync(join(root, "apps/index.ts"), "utf8");
    await expect(run(url, { root })).rejects.toThrow(/taken\.test\.ts" exists and is not overwritten/);
    expect(readFileSync(join(root, "test/apps/taken.test.ts"), "utf8")).toBe("mine");
    expect(readFileSync(join(root, "apps/index.ts"), "utf8")).toBe(index);
    const known = [{ name: "taken", source: { kind: "gitTags", url } as const }];
    await expect(run(url, { known })).rejects.toThrow(/there is an app "taken" already/);
  });

  it("refuses a repository without a Dockerfile, one that is not there, and what is no repository", async () => {
    const url = await repository("owner/bare", { README: "" }, ["v1.0.0"]);
    await expect(run(url)).rejects.toThrow(/v1\.0\.0 of .* has no Dockerfile; .*ownDockerfile/);
    await expect(run(`${origin}/owner/absent.git`)).rejects.toThrow();
    await expect(run("ext::sh -c id")).rejects.toThrow(/accepted is/);
  });

  it("quotes whatever upstream says", async () => {
    const hostile = 'x"; process.exit(1); //*/ `${1}`';
    const files = { "docker/Dockerfile": `FROM debian:12\n`, "README.md": hostile };
    const url = await repository("owner/hostile", files, ["v1.0.0", "v1.0.1;`id`", 'v9.9.9"+x']);
    const { root } = await run(url);
    expect(await written(root, "hostile")).toMatchObject({ dockerfile: "docker/Dockerfile" });
    expect(readFileSync(join(root, "test/apps/hostile.test.ts"), "utf8")).not.toContain("id`");
  });
});
