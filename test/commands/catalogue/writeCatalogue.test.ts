import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CatalogueRequest } from "../../../commands/catalogue/request";
import { catalogueSchemas } from "../../../commands/catalogue/schema";
import { writeCatalogue } from "../../../commands/catalogue/writeCatalogue";
import type { AppSpecification } from "../../../components/model/appSpecification";
import { errorBody, FakeRegistry } from "../../registry/fakeRegistry";

const now = new Date("2026-06-01T12:00:00Z");
const apps: readonly AppSpecification[] = ["app", "other"].map((name) => ({
  name,
  reason: "Upstream publishes an image for linux/amd64 only.",
  source: { kind: "gitTags", url: `https://example.org/${name}.git` },
}));

let folder: string;
let registry: FakeRegistry;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  registry = new FakeRegistry();
  await registry.start();
  registry.index("mirror/app", "1.0.0", ["amd64", "arm64"]);
  registry.index("mirror/app", "1.1.0", ["amd64"]);
  registry.index("mirror/app", "latest", ["amd64", "arm64"]);
  registry.index("mirror/app", "_unpublished", ["amd64"]);
  listed(["1.0.0", "1.1.0", "latest", "_unpublished", `sha256-${"a".repeat(64)}`]);
  registry.answer(/GET \/v2\/mirror\/other\//, { status: 404, ...errorBody("NAME_UNKNOWN") });
  registry.answer(/\/referrers\//, { status: 404, body: "404 page not found" });
  const config = ["registry", "namespace", "apps", "attest"].map((key, position) => {
    const value = [registry.host, "mirror", "[app, other]", "off"][position] ?? "";
    return `  multiarch-mirror:${key}: ${value.startsWith("[") ? value : JSON.stringify(value)}`;
  });
  writeFileSync(join(folder, "Pulumi.test.yaml"), `config:\n${config.join("\n")}\n`);
});

afterEach(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

function listed(tags: readonly string[]): void {
  registry.rule(({ path }) =>
    path.startsWith("/v2/mirror/app/tags/list") ? { status: 200, body: JSON.stringify({ tags }) } : undefined,
  );
}

const site = (): string => join(folder, "site");
const read = (path: string): string => readFileSync(join(site(), path), "utf8");
const json = (path: string): Record<string, never> => JSON.parse(read(path)) as Record<string, never>;

function write(over: Partial<CatalogueRequest> = {}): Promise<unknown> {
  const request = {
    ...{ stack: "test", configFile: join(folder, "Pulumi.test.yaml"), out: site(), results: [] },
    ...{ acceptShrunken: false, ...over },
  };
  const environment = { PATH: process.env["PATH"], HOME: folder, MIRROR_CACHE: join(folder, "cache") };
  return writeCatalogue(request, { environment, root: process.cwd(), now, progress: () => undefined, apps });
}

/** Everything below a folder, by path. */
function contentOf(path: string): Readonly<Record<string, string>> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [file, readFileSync(file, "utf8")];
    }),
  );
}

describe("a catalogue", () => {
  it("has every version and platform in the registry, in files that satisfy their schemas", async () => {
    expect(await write()).toEqual({ apps: 2, versions: 2 });
    const app = json("app.json") as unknown as { versions: { tag: string; tags: string[]; missing: string[] }[] };
    expect(app.versions.map(({ tag, tags, missing }) => ({ tag, tags, missing }))).toEqual([
      { tag: "1.1.0", tags: ["1.1.0"], missing: ["linux/arm64"] },
      { tag: "1.0.0", tags: ["1.0.0", "latest"], missing: [] },
    ]);
    expect(json("other.json")).toMatchObject({ state: "empty", versions: [] });
    const schemas = catalogueSchemas();
    for (const [file, kind] of [
      ["index.json", "index"],
      ["app.json", "app"],
      ["other.json", "app"],
      ["app/1.0.0.json", "version"],
    ] as const) {
      const validate = new Ajv({ strict: false, validateFormats: false }).compile(
        schemas[`catalogue-${kind}-v1.schema.json`] ?? false,
      );
      expect([file, validate(json(file)), validate.errors]).toEqual([file, true, null]);
    }
  });

  it("says of a stack that signs nothing that nothing was checked", async () => {
    await write();
    expect(json("app/1.0.0.json")).toMatchObject({
      proof: { state: "not checked", reason: "the stack signs nothing", checks: [], commands: [] },
      platforms: [{ origin: "published" }, { origin: "published" }],
    });
    expect(read("app/1.0.0/index.html")).not.toMatch(/✓|verified by/);
  });

  it("reads images once: the next one asks for tags and what they name only", async () => {
    await write();
    registry.seen.length = 0;
    await write();
    expect(registry.requests.filter((request) => request.includes("/blobs/"))).toEqual([]);
    expect(registry.requests.filter((request) => request.includes("/manifests/sha256:"))).toEqual([]);
    expect(registry.requests.length).toBeGreaterThan(0);
  });

  it("takes what a run left: what is missing and why, when it is tried next, and when upstream released", async () => {
    const result = join(folder, "result.json");
    const failures = join(folder, "failures.json");
    const last = "2026-06-01T06:00:00.000Z";
    writeFileSync(
      result,
      JSON.stringify({
        ...{ stack: "test", good: false, whole: true, endedAt: last },
        apps: [{ app: "app", problems: [] }],
        versions: [
          { app: "app", version: "1.2.0", complete: false, outcome: "waiting", reason: "not tried before" },
          { app: "app", version: "1.0.0", complete: true, outcome: "unchanged", released: "2026-05-01T00:00:00.000Z" },
        ],
      }),
    );
    writeFileSync(failures, JSON.stringify({ "app/1.2.0": { count: 6, last, reason: "no space left" } }));
    await write({ results: [join(folder, "none.json"), result], failures });
    expect(json("app.json")).toMatchObject({
      state: "incomplete",
      missing: [{ version: "1.2.0", reason: "no space left", failures: 6, nextTry: "2026-06-08T05:00:00.000Z" }],
      versions: [{}, { released: "2026-05-01T00:00:00.000Z" }],
    });
    expect(read("feed.xml")).toContain("app 1.2.0 cannot be built");
    expect(json("index.json")).toMatchObject({ run: { endedAt: last, good: false } });
  });

  it("believes the run that ended last, whatever an earlier attempt of it left", async () => {
    const left = (name: string, good: boolean, hour: number): string => {
      const versions = good
        ? []
        : [{ app: "app", version: "1.2.0", complete: false, outcome: "failed", reason: "404" }];
      const about = { stack: "test", good, whole: true, endedAt: `2026-06-01T0${hour}:00:00.000Z` };
      writeFileSync(join(folder, name), JSON.stringify({ ...about, apps: [{ app: "app", problems: [] }], versions }));
      return join(folder, name);
    };
    await write({ results: [left("publish.json", false, 6), left("plan.json", true, 7)] });
    expect(json("app.json")).toMatchObject({ state: "complete", missing: [] });
    await write({ results: [left("publish.json", false, 8), left("plan.json", true, 7)] });
    expect(json("app.json")).toMatchObject({ state: "incomplete", missing: [{ version: "1.2.0" }] });
  });

  it("remembers when an app was complete, though the last run does not say", async () => {
    const result = join(folder, "result.json");
    const run = { stack: "test", whole: true, apps: [{ app: "app", problems: [] }], versions: [] };
    writeFileSync(result, JSON.stringify({ ...run, good: true, endedAt: "2026-05-31T06:00:00.000Z" }));
    await write({ results: [result] });
    const failed = { ...run, apps: [{ app: "app", problems: ["no answer"] }], good: false };
    writeFileSync(result, JSON.stringify({ ...failed, endedAt: "2026-06-01T06:00:00.000Z" }));
    await write({ results: [result] });
    expect(json("app.json")).toMatchObject({ state: "failing", lastSuccess: "2026-05-31T06:00:00.000Z" });
  });
});

describe("the site that is there", () => {
  it("stays as it is when the registry fails half way, and nothing is left lying about", async () => {
    await write();
    const before = contentOf(folder);
    registry.answer(/GET \/v2\/mirror\/app\/manifests\/1\.0\.0/, { status: 403, ...errorBody("DENIED") });
    await expect(write()).rejects.toThrow(/status 403/);
    expect(contentOf(folder)).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith("site"))).toEqual(["site"]);
  });

  it("stays when the registry shows less than it did, unless that is asked for", async () => {
    await write();
    const before = contentOf(site());
    listed(["1.1.0", "latest"]);
    await expect(write()).rejects.toThrow(/no longer shows app 1\.0\.0: .*--accept-shrunken/);
    expect(contentOf(site())).toEqual(before);
    await write({ acceptShrunken: true });
    expect(existsSync(join(site(), "app", "1.0.0"))).toBe(false);
  });

  it("is not begun with nothing in it", async () => {
    listed([]);
    await expect(write()).rejects.toThrow(/shows no version of any app/);
    expect(existsSync(site())).toBe(false);
  });

  it("is not taken for empty because something on the way says 404", async () => {
    registry.answer(/GET \/v2\/mirror\/(app|other)\//, { status: 404, body: "<html>proxy</html>" });
    await expect(write({ acceptShrunken: true })).rejects.toThrow(/without a registry's error body/);
  });
});
