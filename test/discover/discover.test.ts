import { describe, expect, it } from "vitest";
import type { AppSpecification } from "../../components/model/appSpecification";
import { discover, DiscoveryError } from "../../components/discover/discover";
import { sharedEdges, type UpstreamEdges } from "../../components/discover/upstreamEdges";
import { commitNumber, fakeUpstream, githubRelease, ok, remoteTags } from "./fakeUpstream";

const outline: AppSpecification = {
  name: "outline",
  source: { kind: "githubReleases", repository: "outline/outline" },
};
const page = (number: number, repository = "outline/outline"): string =>
  `repos/${repository}/releases?per_page=100&page=${number}`;
const outlineUrl = "https://github.com/outline/outline.git";
const mostlymatter: AppSpecification = {
  name: "mostlymatter",
  source: { kind: "gitTags", url: "https://framagit.org/framasoft/framateam/mostlymatter.git" },
  tagRule: /^v(\d+\.\d+\.\d+)-limitless$/,
};
const flask: AppSpecification = {
  name: "hello-flask",
  source: { kind: "gitBranch", url: "https://github.com/larsks/hello-flask.git", branch: "master" },
};
const flaskUrl = "https://github.com/larsks/hello-flask.git";

async function failure(specification: AppSpecification, edges: UpstreamEdges): Promise<DiscoveryError> {
  const error: unknown = await discover(specification, { edges }).then(
    (found) => new Error(`discovery succeeded: ${JSON.stringify(found)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof DiscoveryError) return error;
  throw error;
}

describe("discover, from GitHub releases", () => {
  it("takes exactly the stable releases of a mix, highest first, each with the commit of its tag", async () => {
    const edges = fakeUpstream({
      rest: {
        [page(1)]: ok([
          githubRelease("v1.9.2-0", { prerelease: true }),
          githubRelease("v1.8.2-0"),
          githubRelease("v1.9.1"),
          githubRelease("v1.10.0", { published_at: "2026-08-13T00:00:00Z" }),
          githubRelease("v1.9.3", { draft: true, published_at: null }),
          githubRelease("v1.9.4", { prerelease: true }),
          githubRelease("v1.9.1"),
          githubRelease("v1.0.0$(touch canary)"),
          githubRelease("v0.9.0"),
        ]),
      },
      git: { [outlineUrl]: remoteTags(["v1.9.1", "v1.10.0", "v1.9.3", "v1.9.4", "v1.8.2-0", "v1.9.2-0"]) },
    });
    const found = await discover(outline, { edges });
    const release = { reference: "tag" as const, publishedAt: "2026-08-01T10:00:00Z" };
    expect(found.releases).toEqual([
      { ...release, version: "1.10.0", tag: "v1.10.0", commit: commitNumber(2), publishedAt: "2026-08-13T00:00:00Z" },
      { ...release, version: "1.9.1", tag: "v1.9.1", commit: commitNumber(1) },
    ]);
    expect(found.rejected).toEqual([
      { tag: "v1.9.4", reason: "upstream marks it as a pre-release" },
      { tag: "v1.9.3", reason: "draft" },
      { tag: "v1.9.2-0", reason: "pre-release by its name" },
      { tag: "v1.8.2-0", reason: "pre-release by its name", unread: true },
      { tag: "v1.0.0$(touch canary)", reason: "characters outside A-Z a-z 0-9 . _ + @ / -" },
      { tag: "v0.9.0", reason: "the git repository has no such tag" },
    ]);
  });

  it("ignores a branch that has the name of a release", async () => {
    const git = `${commitNumber(1)}\trefs/heads/v1.0.1\n${commitNumber(2)}\trefs/tags/v1.0.0`;
    const edges = fakeUpstream({
      rest: { [page(1)]: ok([githubRelease("v1.0.1"), githubRelease("v1.0.0")]) },
      git: { [outlineUrl]: git },
    });
    expect((await discover(outline, { edges })).releases.map(({ version }) => version)).toEqual(["1.0.0"]);
  });

  it("warns when the list is as long as GitHub lets it be", async () => {
    const tags = Array.from({ length: 1000 }, (_, index) => `v1.${index}.0`);
    const rest = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [
        page(index + 1),
        ok(tags.slice(index * 100, index * 100 + 100).map((tag) => githubRelease(tag))),
      ]),
    );
    const edges = fakeUpstream({ rest, git: { [outlineUrl]: remoteTags(tags) } });
    const found = await discover(outline, { edges });
    expect(found.releases).toHaveLength(1000);
    expect(found.warnings).toEqual([
      "outline/outline has more releases than GitHub lists, or as many; older ones may be missing from the list",
    ]);
  });

  it("reads the repository's tags as well when all releases GitHub lists are pre-releases, and says so (F40)", async () => {
    const early = Array.from({ length: 1000 }, (_, index) => `v2.0.${index}-nightly`);
    const flagged = early.map((tag) => githubRelease(tag, { prerelease: true }));
    // What the list marks is believed of the tag too.
    flagged[0] = githubRelease("v3.0.0", { prerelease: true });
    const rest = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [page(index + 1), ok(flagged.slice(index * 100, index * 100 + 100))]),
    );
    const git = { [outlineUrl]: remoteTags([...early, "v3.0.0", "v1.9.1", "v1.10.0"]) };
    const found = await discover(outline, { edges: fakeUpstream({ rest, git }) });
    expect(found.releases.map(({ version }) => version)).toEqual(["1.10.0", "1.9.1"]);
    expect(found.warnings).toEqual([
      "outline/outline has more releases than GitHub lists, and none of those listed is a version; the repository's tags were read as well",
    ]);
  });

  it("takes 422 past the last page GitHub gives for the end of what it lists, and on the first page for a failure (F40)", async () => {
    const refused = { code: 422, headers: "{}", body: '{"message":"Only the first 1000 results are available."}' };
    const releases = Array.from({ length: 100 }, (_, index) => githubRelease(`v1.${index}.0`));
    const git = { [outlineUrl]: remoteTags(["v1.99.0", "v1.98.0"]) };
    const rest = { [page(1)]: ok(releases), [page(2)]: refused };
    const found = await discover(outline, { edges: fakeUpstream({ rest, git }) });
    expect(found.releases.map(({ version }) => version)).toEqual(["1.99.0", "1.98.0"]);
    expect(found.warnings).toHaveLength(1);
    expect((await failure(outline, fakeUpstream({ rest: { [page(1)]: refused }, git }))).message).toMatch(
      /answered 422/,
    );
  });

  it("reads another repository's releases and tags when the stack names it", async () => {
    const edges = fakeUpstream({
      rest: { [page(1, "me/fork")]: ok([githubRelease("v1.0.0")]) },
      git: { "https://github.com/me/fork.git": remoteTags(["v1.0.0"]) },
    });
    const found = await discover(outline, { edges, repository: { kind: "github", repository: "me/fork" } });
    expect(found.releases).toHaveLength(1);
  });

  it("reads the tags from another git server, and the releases still from the app's repository, when the stack names a URL", async () => {
    const url = "http://127.0.0.1:3000/outline.git";
    const edges = fakeUpstream({
      rest: { [page(1)]: ok([githubRelease("v1.0.0")]) },
      git: { [url]: remoteTags(["v1.0.0"]) },
    });
    expect((await discover(outline, { edges, repository: { kind: "git", url } })).releases).toHaveLength(1);
  });
});

describe("discover, from git", () => {
  it("takes the suffixed tags and peels the annotated ones", async () => {
    const edges = fakeUpstream({
      git: {
        "https://framagit.org/framasoft/framateam/mostlymatter.git": [
          `${commitNumber(1)}\trefs/tags/v11.7.0`,
          `${commitNumber(2)}\trefs/tags/v11.7.0-limitless`,
          `${commitNumber(3)}\trefs/tags/v11.7.0-limitless^{}`,
          `${commitNumber(4)}\trefs/heads/v11.9.0-limitless`,
        ].join("\n"),
      },
    });
    const found = await discover(mostlymatter, { edges });
    expect(found.releases).toEqual([
      { version: "11.7.0", tag: "v11.7.0-limitless", reference: "tag", commit: commitNumber(3) },
    ]);
    expect(found.rejected).toEqual([{ tag: "v11.7.0", reason: "not a version by the app's tag rule", unread: true }]);
  });

  it("survives ten thousand hostile tags and takes the good ones (F20)", async () => {
    const hostile = Array.from({ length: 10_000 }, (_, index) => `v1.0.${index}$(touch\u00a0canary)`);
    const edges = fakeUpstream({
      git: {
        "https://framagit.org/framasoft/framateam/mostlymatter.git": remoteTags([...hostile, "v1.0.0-limitless"]),
      },
    });
    const found = await discover(mostlymatter, { edges });
    expect(found.releases.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(found.rejected).toHaveLength(10_000);
  });

  it("takes the head of a branch as the version, never a tag of that name", async () => {
    const head = "91a1b420".padEnd(40, "c");
    const git = `${commitNumber(1)}\trefs/tags/master\n${head}\trefs/heads/master\n${commitNumber(2)}\trefs/heads/master2`;
    const found = await discover(flask, { edges: fakeUpstream({ git: { [flaskUrl]: git } }) });
    expect(found).toEqual({
      releases: [{ version: "91a1b420", tag: "master", reference: "branch", commit: head }],
      rejected: [],
    });
  });

  it("fails when the branch does not exist", async () => {
    const edges = fakeUpstream({ git: { [flaskUrl]: `${commitNumber(1)}\trefs/tags/master` } });
    expect((await failure(flask, edges)).message).toBe(
      'cannot learn the versions of app "hello-flask" from "https://github.com/larsks/hello-flask.git": it has no branch "master"',
    );
  });
});

describe("discover, when upstream is in trouble (F23)", () => {
  const good = { [outlineUrl]: remoteTags(["v1.0.0"]) };
  const body = JSON.stringify([githubRelease("v1.0.0")]);
  const full = Array.from({ length: 100 }, (_, index) => githubRelease(`v1.${index}.0`));

  it.each([
    [
      "truncated JSON",
      { code: 200, headers: "{}", body: body.slice(0, -20) },
      /answered with something that is not JSON/,
    ],
    ["HTML with 200", { code: 200, headers: "{}", body: "<html>::error::down</html>" }, /not JSON: .*:\\u003aerror/],
    ["an empty body", { code: 200, headers: "{}", body: "" }, /not JSON/],
    ["an object", { code: 200, headers: "{}", body: '{"message":"hi"}' }, /list of releases/],
    [
      "a release without a tag",
      { code: 200, headers: "{}", body: '[{"draft":false,"prerelease":false}]' },
      /at .*0\.tag_name/,
    ],
    ["a flag of another type", ok([githubRelease("v1.0.0", { prerelease: "no" })]), /0\.prerelease/],
    ["a date that is none", ok([githubRelease("v1.0.0", { published_at: "soon" })]), /0\.published_at/],
    ["null in the list", ok([null]), /list of releases/],
    ["404", { code: 404, headers: "{}", body: '{"message":"Not Found"}' }, /answered 404/],
    ["403", { code: 403, headers: "{}", body: '{"message":"API rate limit exceeded"}' }, /answered 403 .*rate limit/],
    ["502", { code: 502, headers: "{}", body: "bad gateway" }, /answered 502/],
    ["a redirect", { code: 301, headers: "{}", body }, /answered 301/],
    ["no answer at all", new Error("dial tcp: connection refused"), /connection refused/],
  ])("fails that app on %s", async (_, answer, message) => {
    const error = await failure(outline, fakeUpstream({ rest: { [page(1)]: answer }, git: good }));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^cannot learn the versions of app "outline" from "outline\/outline": /);
    expect(error.message).not.toMatch(/[^\x20-\x7e]|::/);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.app).toBe("outline");
  });

  it("fails on a later page just as on the first, instead of taking half the list", async () => {
    const rest = { [page(1)]: ok(full), [page(2)]: { code: 500, headers: "{}", body: "" } };
    const error = await failure(outline, fakeUpstream({ rest, git: good }));
    expect(error.message).toMatch(/page=2 answered 500/);
  });

  it.each([
    ["for ever", [full, full]],
    ["in turns", [full, full.toReversed(), full]],
  ])("fails when the server repeats its pages %s", async (_, pages) => {
    const rest = Object.fromEntries(pages.map((releases, index) => [page(index + 1), ok(releases)]));
    const edges = fakeUpstream({ rest, git: good });
    expect((await failure(outline, edges)).message).toMatch(/repeats an earlier page/);
    expect(edges.log).toHaveLength(pages.length + 1);
  });

  it.each([
    ["an empty list", []],
    ["nothing but drafts and pre-releases", [githubRelease("v1.0.0", { draft: true }), githubRelease("v1.0.0-rc1")]],
    ["only hostile names", [githubRelease("v1.0.0;id"), githubRelease("\n::set-output name=x::y")]],
  ])("fails on %s: no versions is never 'nothing to keep'", async (_, releases) => {
    const error = await failure(outline, fakeUpstream({ rest: { [page(1)]: ok(releases) }, git: good }));
    expect(error.message).toMatch(/it offers no version/);
    expect(error.message).not.toMatch(/[^\x20-\x7e]|::/);
  });

  it("fails when git fails, although the releases were had", async () => {
    const rest = { [page(1)]: ok([githubRelease("v1.0.0")]) };
    const git = { [outlineUrl]: new Error("exit status 128: fatal: unable to access") };
    expect((await failure(outline, fakeUpstream({ rest, git }))).message).toMatch(/exit status 128/);
  });

  it("prints what a server made git say in one harmless line, shortened", async () => {
    const said = `exit status 128:\n::set-output name=x::y\n${"\u001b[31m".repeat(1000)}\nfatal: ##[error] the end`;
    const { message } = await failure(flask, fakeUpstream({ git: { [flaskUrl]: new Error(said) } }));
    expect(message).toMatch(/^[\x20-\x7e]{1,5000}$/);
    expect(message).not.toMatch(/::|##/);
    expect(message).toMatch(/exit status 128.* the end$/);
  });

  it("fails when none of the releases has a tag in the git repository", async () => {
    const rest = { [page(1)]: ok([githubRelease("v1.0.0")]) };
    const error = await failure(outline, fakeUpstream({ rest, git: { [outlineUrl]: "" } }));
    expect(error.message).toMatch(/no version; rejected "v1.0.0": the git repository has no such tag/);
  });

  it.each([
    ["an abbreviated commit", "abc1234\trefs/tags/v1.0.0-limitless"],
    ["HTML", "<html></html>"],
    ["a SHA-256 object name", `${"a".repeat(64)}\trefs/tags/v1.0.0-limitless`],
    ["half a line at the end", `${remoteTags(["v1.0.0-limitless"])}\n${"a".repeat(20)}`],
  ])("fails on git output with %s", async (_, output) => {
    const edges = fakeUpstream({ git: { "https://framagit.org/framasoft/framateam/mostlymatter.git": output } });
    expect((await failure(mostlymatter, edges)).message).toMatch(/git ls-remote printed/);
  });

  it("requests nothing when the source is refused, and prints no password", async () => {
    const edges = fakeUpstream({});
    const url = "https://me:hunter2@example.org/x.git";
    const error = await failure({ ...mostlymatter, source: { kind: "gitTags", url } }, edges);
    expect(error.message).toMatch(/cannot be used as the source/);
    expect(error.message).not.toMatch(/hunter2/);
    expect(edges.log).toEqual([]);
  });

  it("leaves the other apps of the run alone", async () => {
    const git = { [flaskUrl]: `${commitNumber(1)}\trefs/heads/master` };
    const edges = sharedEdges(fakeUpstream({ git }));
    const [failed, found] = await Promise.allSettled([discover(outline, { edges }), discover(flask, { edges })]);
    expect(failed.status).toBe("rejected");
    expect(found.status).toBe("fulfilled");
  });
});

describe("sharedEdges", () => {
  it("asks each question once for all apps of one repository, at the same time or later", async () => {
    const fake = fakeUpstream({
      rest: { [page(1)]: ok([githubRelease("v1.0.0")]) },
      git: { [outlineUrl]: remoteTags(["v1.0.0"]) },
    });
    const edges = sharedEdges(fake);
    const base = { ...outline, name: "base-outline" };
    const found = await Promise.all([discover(outline, { edges }), discover(base, { edges })]);
    expect(await discover(outline, { edges })).toEqual(found[0]);
    expect(found[1]).toEqual(found[0]);
    expect(fake.log.toSorted()).toEqual([outlineUrl, page(1)]);
  });

  it("shares a failure too, but names each app in it", async () => {
    const fake = fakeUpstream({});
    const edges = sharedEdges(fake);
    const messages = await Promise.all([failure(outline, edges), failure({ ...outline, name: "base-outline" }, edges)]);
    expect(messages.map(({ app }) => app)).toEqual(["outline", "base-outline"]);
    expect(fake.log).toHaveLength(2);
  });
});
