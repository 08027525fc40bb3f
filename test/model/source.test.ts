import { describe, expect, it } from "vitest";
import { resolveSource } from "../../components/model/source";

const releases = { kind: "githubReleases", repository: "outline/outline" } as const;
const tags = { kind: "gitTags", url: "https://framagit.org/a/b.git" } as const;
const branch = { kind: "gitBranch", url: "https://example.org/x.git", branch: "master" } as const;
const local = "http://localhost:8080/outline.git";

describe("resolveSource", () => {
  it("leaves a source without an override where it is", () => {
    expect(resolveSource(releases)).toEqual({ ...releases, url: "https://github.com/outline/outline.git" });
    expect(resolveSource(tags)).toEqual(tags);
    expect(resolveSource(branch)).toEqual(branch);
  });

  it("takes owner/name, or its URL on github.com, for both releases and git", () => {
    const fork = { kind: "githubReleases", repository: "me/fork", url: "https://github.com/me/fork.git" };
    expect(resolveSource(releases, { kind: "github", repository: "me/fork" })).toEqual(fork);
    expect(resolveSource(releases, { kind: "git", url: "https://github.com/me/fork.git" })).toEqual(fork);
  });

  it("takes any other URL for git only, and keeps the app's release list", () => {
    expect(resolveSource(releases, { kind: "git", url: local })).toEqual({ ...releases, url: local });
  });

  it("replaces the URL of a git source, and keeps the branch", () => {
    expect(resolveSource(tags, { kind: "git", url: local })).toEqual({ kind: "gitTags", url: local });
    expect(resolveSource(branch, { kind: "github", repository: "me/fork" })).toEqual({
      kind: "gitBranch",
      url: "https://github.com/me/fork.git",
      branch: "master",
    });
  });

  it.each([
    "file:///etc/passwd",
    "ext::sh -c id",
    "ssh://git@example.org/x.git",
    "git://example.org/x.git",
    "git@example.org:x.git",
    "http://example.org/x.git",
    "http://127.0.0.1.example.org/x.git",
    "https://user@example.org/x.git",
    "https://user:pass@example.org/x.git",
    "https://example.org/x",
    "https://example.org/.git",
    "https://example.org/x.git?ref=y",
    "https://example.org/x.git#y",
    "https://example.org/../x.git",
    "https://example.org/a/%2e%2e/x.git",
    "https://example.org/$(id).git",
    "https://example.org/x.git\r\nHost: y",
    "https://example.org/x.git\u0000",
    "https://example.org/x y.git",
    "https:\\\\example.org\\x.git",
    "-c/x",
    "--upload-pack=id",
    "../../etc",
    "",
  ])("refuses the URL %j", (url) => {
    expect(() => resolveSource({ kind: "gitTags", url })).toThrow(/cannot be used as the source; accepted is/);
    expect(() => resolveSource(tags, { kind: "git", url })).toThrow(/cannot be used as the source/);
  });

  it.each(["outline", "a/b/c", "-a/b", "a/..", "a/.", "a/b.git", "a/b?x", "a/b#c", "a/b\n", "a /b", "/b", "a/"])(
    "refuses the repository %j",
    (repository) => {
      expect(() => resolveSource({ kind: "githubReleases", repository })).toThrow(/cannot be used as the source/);
    },
  );

  it("refuses a URL outside GitHub as the repository of releases", () => {
    expect(() => resolveSource({ kind: "githubReleases", repository: local })).toThrow(/owner\/name on GitHub/);
  });

  it.each(["main", "release/1.2", "v1.x", "a_b-c"])("takes the branch %j", (name) => {
    expect(resolveSource({ ...branch, branch: name })).toMatchObject({ branch: name });
  });

  it.each([
    "",
    "-b",
    "a..b",
    "a//b",
    "a/",
    "a.lock",
    "a/.b",
    "a b",
    "a:b",
    "a^{}",
    "a~1",
    "$(id)",
    "a\n",
    "a.",
    "@",
    "x".repeat(201),
  ])("refuses the branch %j", (name) => {
    expect(() => resolveSource({ ...branch, branch: name })).toThrow(/is no usable branch; accepted are/);
  });
});

describe("resolveSource, for forges, images and packages", () => {
  const gitlab = { kind: "gitlabReleases", url: "https://gitlab.example.org/group/sub/app.git" } as const;
  const gitea = { kind: "giteaReleases", url: "https://codeberg.example.org/owner/app.git" } as const;

  it("finds a forge's release list beside its repository, and moves both with an override", () => {
    expect(resolveSource(gitlab)).toEqual({
      ...gitlab,
      list: "https://gitlab.example.org/api/v4/projects/group%2Fsub%2Fapp/releases",
    });
    expect(resolveSource(gitea)).toEqual({
      ...gitea,
      list: "https://codeberg.example.org/api/v1/repos/owner/app/releases",
    });
    expect(resolveSource(gitea, { kind: "git", url: "http://localhost:8080/a/b.git" })).toEqual({
      kind: "giteaReleases",
      url: "http://localhost:8080/a/b.git",
      list: "http://localhost:8080/api/v1/repos/a/b/releases",
    });
  });

  it.each([
    [gitlab, { kind: "github", repository: "me/fork" }, /is on GitHub/],
    [gitea, { kind: "git", url: "https://codeberg.example.org/a/b/c.git" }, /not a repository on Gitea/],
  ] as const)("refuses an override where no such list is", (source, override, message) => {
    expect(() => resolveSource(source, override)).toThrow(message);
  });

  const url = "https://git.example.org/app.git";

  it("writes an image out in full, and refuses a tag or digest", () => {
    expect(resolveSource({ kind: "registryTags", image: "owner/app", url })).toMatchObject({
      image: "docker.io/owner/app",
    });
    expect(() => resolveSource({ kind: "registryTags", image: "owner/app:1", url })).toThrow(/without tag and digest/);
    expect(() => resolveSource({ kind: "registryTags", image: "Owner/App", url })).toThrow(/no.* reference/);
  });

  it.each([
    ["npm", "https://packages.example.org", "app/../other"],
    ["npm", "https://packages.example.org", "@scope/"],
    ["npm", "https://packages.example.org", ".."],
    ["pypi", "https://packages.example.org/simple", "a/b"],
    ["npm", "http://packages.example.org", "app"],
    ["npm", "https://me:secret@packages.example.org", "app"],
    ["pypi", "https://packages.example.org/simple?x=y", "app"],
    ["pypi", "file:///etc/passwd", "app"],
  ] as const)("refuses what would leave the registry: %s %s %s", (kind, registry, name) => {
    const resolve = () => resolveSource({ kind, registry, package: name, url });
    expect(resolve).toThrow(/accepted is/);
    expect(resolve).not.toThrow(/secret/);
  });
});
