import { afterEach, describe, expect, it } from "vitest";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppSpecification, Source } from "../../components/model/appSpecification";
import { selectWindow } from "../../components/decide/window";
import { discover } from "../../components/discover/discover";
import { httpGet } from "../../components/discover/upstreamEdges";
import { fileTransport } from "../../components/discover/upstreamFiles";
import { createFileServer } from "../../tools/sandbox/fileServer";
import { createGitServer } from "../../tools/sandbox/gitServer";
import { FakeClock } from "../support/fakeClock";
import { commitNumber, fakeUpstream, ok, remoteTags } from "./fakeUpstream";

const app = (source: Source, more: Partial<AppSpecification> = {}): AppSpecification => ({
  name: "example",
  source,
  ...more,
});
const versions = ({ releases }: Awaited<ReturnType<typeof discover>>) => releases.map(({ version }) => version);

describe("discover, from GitLab and Gitea", () => {
  const gitlab = { kind: "gitlabReleases", url: "https://gitlab.example.org/group/sub/app.git" } as const;
  const gitea = { kind: "giteaReleases", url: "https://codeberg.example.org/owner/app.git" } as const;
  const gitlabPage = (page: number) =>
    `https://gitlab.example.org/api/v4/projects/group%2Fsub%2Fapp/releases?per_page=100&page=${page}`;
  const giteaPage = (page: number) =>
    `https://codeberg.example.org/api/v1/repos/owner/app/releases?limit=50&page=${page}`;

  it("takes GitLab's releases, less those to come, each with the commit of its tag", async () => {
    const list = [
      { tag_name: "v2.0.0", released_at: "2027-01-01T00:00:00Z", upcoming_release: true },
      { tag_name: "v1.1.0", released_at: "2026-02-01T00:00:00.000+02:00" },
      { tag_name: "v1.0.0", released_at: null, commit: { id: "not believed" } },
    ];
    const edges = fakeUpstream({
      web: { [gitlabPage(1)]: ok(list) },
      git: { [gitlab.url]: remoteTags(["v1.0.0", "v1.1.0", "v2.0.0", "v3.0.0"]) },
    });
    const { releases, rejected } = await discover(app(gitlab), { edges });
    expect(releases).toEqual([
      {
        version: "1.1.0",
        tag: "v1.1.0",
        reference: "tag",
        commit: commitNumber(2),
        publishedAt: "2026-02-01T00:00:00.000+02:00",
      },
      { version: "1.0.0", tag: "v1.0.0", reference: "tag", commit: commitNumber(1) },
    ]);
    expect(rejected).toEqual([{ tag: "v2.0.0", reason: "draft" }]);
  });

  it("reads on where Gitea gives fewer than asked for and its Link header says that there are more", async () => {
    const one = (tag: string, more = {}) => ({
      tag_name: tag,
      draft: false,
      prerelease: false,
      published_at: "2026-02-01T00:00:00Z",
      ...more,
    });
    const edges = fakeUpstream({
      web: {
        [giteaPage(1)]: ok([one("v3.0.0", { prerelease: true }), one("v2.0.0")], {
          link: '<https://codeberg.example.org/x?page=2>; rel="next"',
        }),
        [giteaPage(2)]: ok([one("v1.0.0")]),
      },
      git: { [gitea.url]: remoteTags(["v1.0.0", "v2.0.0", "v3.0.0"]) },
    });
    expect(versions(await discover(app(gitea), { edges }))).toEqual(["2.0.0", "1.0.0"]);
  });

  it("fails on a later page as on the first, and on a list that is none", async () => {
    const full = Array.from({ length: 100 }, (_, index) => ({ tag_name: `v1.${index}.0` }));
    const git = { [gitlab.url]: remoteTags(["v1.0.0"]) };
    const broken = { [gitlabPage(1)]: ok(full), [gitlabPage(2)]: { code: 404, headers: "{}", body: "" } };
    await expect(discover(app(gitlab), { edges: fakeUpstream({ web: broken, git }) })).rejects.toThrow(
      /page=2 answered 404/,
    );
    const odd = { [gitlabPage(1)]: ok([{ tag: "v1" }]) };
    await expect(discover(app(gitlab), { edges: fakeUpstream({ web: odd, git }) })).rejects.toThrow(
      /did not answer with a list of releases: .* at "0.tag_name"/,
    );
  });
});

describe("discover, from package registries", () => {
  const npm = {
    kind: "npm",
    registry: "https://packages.example.org/",
    package: "@scope/app",
    url: "https://git.example.org/app.git",
  } as const;
  const pypi = {
    kind: "pypi",
    registry: "https://index.example.org/simple",
    package: "My.App_x",
    url: "https://git.example.org/app.git",
  } as const;

  it("finds the commit of an npm version by a tag of the repository, else by what it was published from", async () => {
    const packument = {
      versions: {
        "1.0.0": {},
        "1.1.0": { gitHead: commitNumber(77) },
        "1.2.0": { deprecated: "do not use", gitHead: commitNumber(78) },
        "1.3.0-rc.1": { gitHead: commitNumber(79) },
        "1.4.0": { gitHead: "nonsense" },
        "1.5.0": {},
      },
      time: { created: "2020", "1.1.0": "2026-03-01T00:00:00.000Z" },
    };
    const edges = fakeUpstream({
      web: { "https://packages.example.org/@scope%2fapp": ok(packument) },
      git: { [npm.url]: remoteTags(["app@1.0.0", "v9.9.9"]) },
    });
    const { releases, rejected } = await discover(app(npm), { edges });
    expect(releases).toEqual([
      {
        version: "1.1.0",
        tag: "1.1.0",
        reference: "commit",
        commit: commitNumber(77),
        publishedAt: "2026-03-01T00:00:00.000Z",
      },
      { version: "1.0.0", tag: "1.0.0", gitTag: "app@1.0.0", reference: "tag", commit: commitNumber(1) },
    ]);
    expect(rejected.map(({ tag, reason }) => `${tag}: ${reason}`)).toEqual([
      "1.5.0: the git repository has no such tag",
      "1.4.0: its commit is not 40 hex digits",
      "1.3.0-rc.1: pre-release by its name",
      "1.2.0: upstream has withdrawn it",
    ]);
  });

  it("takes the versions of a Python index that are not yanked and have a tag", async () => {
    const page = {
      versions: ["1.0", "1.1", "2.0rc1", "2.0"],
      files: [
        { filename: "my_app_x-1.0.tar.gz", "upload-time": "2026-01-02T00:00:00Z" },
        { filename: "my_app_x-1.0-py3-none-any.whl", "upload-time": "2026-01-01T00:00:00Z", yanked: "broken" },
        { filename: "my_app_x-2.0.tar.gz", yanked: true },
      ],
    };
    const edges = fakeUpstream({
      web: { "https://index.example.org/simple/my-app-x/": ok(page) },
      git: { [pypi.url]: remoteTags(["v1.0", "1.1", "v2.0"]) },
    });
    const { releases, rejected } = await discover(app(pypi), { edges });
    expect(releases.map(({ version, gitTag, publishedAt }) => [version, gitTag, publishedAt])).toEqual([
      ["1.1", undefined, undefined],
      ["1.0", "v1.0", "2026-01-01T00:00:00Z"],
    ]);
    expect(rejected.map(({ tag, reason }) => `${tag}: ${reason}`)).toContain("2.0: upstream has withdrawn it");
  });

  it("says what is wrong with an index that lists no versions", async () => {
    const edges = fakeUpstream({
      web: { "https://index.example.org/simple/my-app-x/": ok({ files: [] }) },
      git: { [pypi.url]: "" },
    });
    await expect(discover(app(pypi), { edges })).rejects.toThrow(/did not answer with a page of a project: .*PEP 700/);
  });
});

describe("discover, from the tags of upstream's image", () => {
  const source = {
    kind: "registryTags",
    image: "docker.io/owner/app",
    url: "https://git.example.org/app.git",
  } as const;
  const image = "docker.io/owner/app";
  const revision = "org.opencontainers.image.revision";
  const lastTwo = (releases: Parameters<typeof selectWindow>[0]) =>
    selectWindow(releases, { keep: 2, now: new Date() }).releases;

  it("reads the labels of those wanted that have no tag in the repository, and of no others", async () => {
    const edges = fakeUpstream({
      tags: { [image]: ["latest", "5", "5.5", "5.5.4", "5.5.3", "5.5.2", "5.5.1", "5.6.0-rc1"] },
      git: { [source.url]: remoteTags(["v5.5.2"]) },
      labels: {
        [`${image}:5.5.4`]: { [revision]: commitNumber(4), "org.opencontainers.image.created": "2026-05-01T00:00:00Z" },
        [`${image}:5.5.3`]: { maintainer: "somebody" },
      },
    });
    const { releases, rejected } = await discover(app(source), { edges, wanted: lastTwo });
    expect(releases).toEqual([
      {
        version: "5.5.4",
        tag: "5.5.4",
        reference: "commit",
        commit: commitNumber(4),
        publishedAt: "2026-05-01T00:00:00Z",
      },
      { version: "5.5.2", tag: "5.5.2", gitTag: "v5.5.2", reference: "tag", commit: commitNumber(1) },
    ]);
    expect(rejected.map(({ tag, reason }) => `${tag}: ${reason}`)).toEqual([
      "latest: not a version by the app's tag rule",
      "5.6.0-rc1: pre-release by its name",
      `5.5.3: neither a tag of the repository nor its image's label ${revision} tells its commit`,
      "5.5.1: not among those kept; its commit was not looked up",
      "5: names a line of versions",
      "5.5: names a line of versions",
    ]);
    expect(edges.log.filter((question) => question.startsWith(`${image}:`))).toHaveLength(2);
  });

  it("fails when the tags, or the labels of a version that is wanted, cannot be read", async () => {
    const git = { [source.url]: "" };
    await expect(discover(app(source), { edges: fakeUpstream({ git }) })).rejects.toThrow(/connection refused/);
    const edges = fakeUpstream({ git, tags: { [image]: ["1.0.0"] } });
    await expect(discover(app(source), { edges, wanted: lastTwo })).rejects.toThrow(/connection refused: .*:1\.0\.0/);
  });
});

describe("the sandbox as a forge and a package registry", () => {
  const servers: Server[] = [];
  const folders: string[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  async function serve(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function folderWith(files: Readonly<Record<string, unknown>>): string {
    const folder = mkdtempSync(join(tmpdir(), "mirror-sources-"));
    folders.push(folder);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), JSON.stringify(content));
    }
    return folder;
  }

  const tags = Array.from({ length: 130 }, (_, index) => `v1.${index}.0`);
  const edgesFor = (url: string) => ({
    ...fakeUpstream({ git: { [url]: remoteTags(tags) } }),
    get: httpGet(fileTransport({ environment: {}, clock: new FakeClock(), retryBudgetMs: 0 })),
  });

  it.each(["gitlabReleases", "giteaReleases"] as const)("serves %s in pages", async (kind) => {
    const releases = folderWith({ "owner/app.json": tags.map((tag_name) => ({ tag_name })) });
    const url = `${await serve(createGitServer(folderWith({}), releases))}/owner/app.git`;
    const { releases: found } = await discover(app({ kind, url }), { edges: edgesFor(url) });
    expect(found).toHaveLength(130);
  });

  it("serves packages of npm and of Python", async () => {
    const files = folderWith({
      "npm/app": { versions: { "1.7.0": {} } },
      "simple/app/index.json": { versions: ["1.8.0"], files: [] },
    });
    const origin = await serve(createFileServer(files));
    const url = `${origin}/app.git`;
    const found = await Promise.all([
      discover(app({ kind: "npm", registry: `${origin}/npm`, package: "app", url }), { edges: edgesFor(url) }),
      discover(app({ kind: "pypi", registry: `${origin}/simple/`, package: "app", url }), { edges: edgesFor(url) }),
    ]);
    expect(found.map(versions)).toEqual([["1.7.0"], ["1.8.0"]]);
  });

  it("says what a forge in trouble answered", async () => {
    const origin = await serve(createServer((_, response) => response.writeHead(503).end()));
    const url = `${origin}/owner/app.git`;
    await expect(discover(app({ kind: "gitlabReleases", url }), { edges: edgesFor(url) })).rejects.toThrow(
      /owner%2Fapp\/releases: the answer was status 503/,
    );
  });
});
