import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appEvents } from "../../../commands/catalogue/events";
import { feed } from "../../../commands/catalogue/pages/feed";
import { Fragment, h } from "../../../commands/catalogue/pages/markup";
import { badgeJson, badgeSvg } from "../../../commands/catalogue/pages/badge";
import type { ReadVersion } from "../../../commands/catalogue/readVersion";
import { SiteDraft } from "../../../commands/catalogue/site";
import { mergedPackages, packageChanges, spdxPackages } from "../../../commands/catalogue/spdxPackages";
import { versionTags } from "../../../commands/catalogue/versionTags";
import type { Digest } from "../../../components/model/digest";
import { digestOf, exampleApp, examplePlatform, exampleVersion } from "./example";
import { hostile } from "./exampleSite";

const source = { kind: "gitTags", url: "https://example.org/app.git" } as const;
const named = (tags: Readonly<Record<string, string>>): ReadonlyMap<string, Digest> =>
  new Map(Object.entries(tags).map(([tag, image]) => [tag, digestOf(image) as Digest]));

describe("tags", () => {
  it("are versions or move with them, which what they name tells", () => {
    const tags = named({
      "11.10.0": "b",
      "11.9.2": "a",
      "11": "b",
      "11.10": "b",
      "11.9": "a",
      latest: "b",
      "sha-1a2b3c4d": "b",
    });
    const { versions, others } = versionTags(tags, { source });
    expect(versions.map(({ tag }) => tag)).toEqual(["11.10.0", "11.9.2"]);
    expect(others).toEqual(["11", "11.10", "11.9", "latest", "sha-1a2b3c4d"]);
  });

  it("of few numbers are versions where they name something of their own", () => {
    const { versions } = versionTags(named({ "4.3": "a", "4.3.1": "b" }), { source });
    expect(versions.map(({ tag }) => tag)).toEqual(["4.3.1", "4.3"]);
  });

  it("are commits where an app follows a branch, and as the app's rule says where tags are upstream's", () => {
    const branch = { kind: "gitBranch", url: source.url, branch: "main" } as const;
    const commits = named({ "1a2b3c4d": "a", latest: "a" });
    expect(versionTags(commits, { source: branch }).versions).toEqual([
      { tag: "1a2b3c4d", version: "1a2b3c4d", digest: commits.get("1a2b3c4d") },
    ]);
    const rule = { source, tagRule: /^release-(\d+\.\d+)$/ };
    const releases = named({ "release-1.2": "a", nightly: "b" });
    expect(versionTags(releases, rule).versions).toEqual([
      { tag: "release-1.2", version: "1.2", digest: releases.get("release-1.2") },
    ]);
  });
});

describe("packages", () => {
  const spdx = (packages: readonly object[]) =>
    spdxPackages({ creationInfo: { created: "2026-01-01T00:00:00Z" }, packages });

  it("have the license that was concluded, or declared, and none where nobody knows", () => {
    const purl = { referenceType: "purl", referenceLocator: "pkg:deb/debian/bash@5.2" };
    expect(
      spdx([
        { name: "image", primaryPackagePurpose: "CONTAINER" },
        { name: "b", versionInfo: "2", licenseConcluded: "NOASSERTION", licenseDeclared: "MIT", externalRefs: [purl] },
        { name: "a", versionInfo: "1", licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION" },
      ]).packages,
    ).toEqual([
      { name: "a", version: "1" },
      { name: "b", version: "2", kind: "deb", licenses: "MIT" },
    ]);
  });

  it("say for which platforms they are where not all have them", () => {
    const [one, other] = [
      { name: "a", version: "1" },
      { name: "b", version: "1" },
    ];
    expect(
      mergedPackages(
        new Map([
          ["linux/amd64", [one, other]],
          ["linux/arm64", [one]],
        ]),
      ),
    ).toEqual([one, { ...other, platforms: ["linux/amd64"] }]);
  });

  it("are compared by name and kind", () => {
    expect(
      packageChanges(
        [
          { name: "a", version: "1" },
          { name: "b", version: "1" },
          { name: "gone", version: "1" },
        ],
        [
          { name: "a", version: "2" },
          { name: "b", version: "1" },
          { name: "new", version: "3" },
        ],
      ),
    ).toEqual([
      { name: "a", from: "1", to: "2" },
      { name: "gone", from: "1" },
      { name: "new", to: "3" },
    ]);
  });

  it("are none where the document is none", () => {
    expect(spdxPackages("nothing").packages).toEqual([]);
  });
});

describe("events", () => {
  const later = examplePlatform("linux/arm64");
  const read = (composition: ReadVersion["composition"]): ReadVersion => ({
    version: exampleVersion({
      platforms: [
        examplePlatform("linux/amd64"),
        { ...later, build: { ...later.build!, finishedAt: "2026-11-25T06:00:00.000Z", run: "https://example.org/2" } },
      ],
    }),
    files: new Map(),
    composition,
  });
  const eventsOf = (composition: ReadVersion["composition"]) =>
    appEvents("mattermost", "ghcr.io/example/mattermost", [read(composition)], [], new Map());

  it("are one for a version whose platforms came together", () => {
    const events = eventsOf(
      new Map([
        ["linux/amd64", "built"],
        ["linux/arm64", "built"],
      ]),
    );
    expect(events.map(({ kind, at }) => [kind, at])).toEqual([["published", "2026-11-20T06:20:00.000Z"]]);
  });

  it("tell of a platform that came into an index others were in, and keep their ids whatever is learnt later", () => {
    const events = eventsOf(
      new Map([
        ["linux/amd64", "kept"],
        ["linux/arm64", "built"],
      ]),
    );
    expect(events.map(({ id, kind }) => [id, kind])).toEqual([
      ["tag:multiarch-mirror.github.io,2026:ghcr.io/example/mattermost/11.1.0/linux-arm64", "platform added"],
      ["tag:multiarch-mirror.github.io,2026:ghcr.io/example/mattermost/11.1.0/published", "published"],
    ]);
    const both = eventsOf(
      new Map([
        ["linux/amd64", "kept"],
        ["linux/arm64", "kept"],
      ]),
    );
    expect(both.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });
});

describe("a feed", () => {
  const facts = {
    id: "tag:x",
    title: "All",
    root: "https://example.org/",
    file: "feed.xml",
    page: "index.html",
    generatedAt: "2026-01-01T00:00:00Z",
  };

  it("has what Atom 1.0 requires of a feed and of each entry, and is the same each time it is made", () => {
    const xml = feed(facts, exampleApp().events);
    expect(feed({ ...facts, generatedAt: "2027-01-01T00:00:00Z" }, exampleApp().events)).toBe(xml);
    const [head = "", entry = ""] = xml.split("<entry>");
    for (const element of ["id", "title", "updated"]) {
      const filled = new RegExp(`<${element}(?: type="text")?>[^<]+</${element}>`);
      expect([head, entry]).toEqual([expect.stringMatching(filled), expect.stringMatching(filled)]);
    }
    expect(head).toContain('<link rel="self" type="application/atom+xml" href="https://example.org/feed.xml"/>');
    expect(head).toMatch(/<author><name>[^<]+<\/name><\/author>/);
    expect(entry).toContain('href="https://example.org/mattermost/11.1.0/index.html"/>');
  });

  it("is one without entries too, and holds no markup of others", () => {
    expect(feed(facts, [])).toContain("<updated>2026-01-01T00:00:00Z</updated>");
    const [event] = exampleApp().events;
    const events = [{ ...event!, title: `${hostile}\u0000`, detail: hostile }];
    expect(feed({ ...facts, title: hostile }, events)).not.toMatch(/<script|[\u0000\u009b\u202e]/);
  });
});

describe("JSON", () => {
  it("deceives nobody who looks at it, and loses nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "catalogue-json-"));
    const draft = await SiteDraft.begin(join(folder, "site"));
    await draft.writeJson("app.json", { [hostile]: [hostile, "ä"] });
    await draft.replace();
    const written = await readFile(join(folder, "site", "app.json"), "utf8");
    await rm(folder, { recursive: true });
    expect(written).toMatch(/^[\n\x20-\x7e]*$/);
    expect(JSON.parse(written)).toEqual({ [hostile]: [hostile, "ä"] });
  });
});

describe("a badge", () => {
  it("says the newest version, its platforms, and that something is missing", () => {
    expect(badgeJson(exampleApp())).toEqual({
      ...{ schemaVersion: 1, label: "mattermost", message: "11.1.0 · amd64 | arm64", color: "1a6b3c" },
    });
    expect(badgeSvg(exampleApp({ state: "incomplete" }))).toContain("incomplete");
    expect(badgeJson(exampleApp({ versions: [] }))).toMatchObject({ message: "nothing published" });
  });
});

describe("markup", () => {
  it("escapes text and attributes, and nothing twice", () => {
    const inner = h("b", null, hostile);
    const { text } = h("p", { title: hostile, hidden: true, id: undefined }, inner, ["&", 1, null]);
    expect(text).not.toMatch(/<(?!\/?[pb][ >])/);
    expect(text).toContain(" hidden>");
    expect(text).toContain("&amp;1</p>");
    expect(Fragment({ children: [inner] }).text).toBe(inner.text);
    expect(text).not.toContain("&amp;lt;");
  });
});
