import { existsSync, readFileSync } from "node:fs";
import Ajv from "ajv";
import { format } from "prettier";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { apps } from "../../apps";
import type { AppSpecification } from "../../components/model/appSpecification";
import { stackFileSchema } from "../../components/config/stackFileSchema";

interface Node {
  readonly $ref?: string;
  readonly type?: string;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const schemaFile = "schemas/stack-config.schema.json";
const schema = JSON.parse(JSON.stringify(stackFileSchema(apps))) as Node & {
  definitions: Readonly<Record<string, Node>>;
};
const prefix = "multiarch-mirror:";
const settings = Object.fromEntries(
  Object.entries(schema.properties!["config"]!.properties!).map(([key, node]) => [key.replace(prefix, ""), node]),
);
// A fork may have left one out.
const stackFiles = ["prod", "dockerhub", "sandbox"].map((stack) => `Pulumi.${stack}.yaml`).filter(existsSync);
/** Any app there is. */
const someApp = apps[0]!.name;

/** The alternatives of a setting, all of them looked up; that any text may hold a variable goes without saying. */
function alternatives({ $ref, ...node }: Node): readonly Node[] {
  if ($ref === "#/definitions/variable") return [];
  if ($ref !== undefined) return alternatives(schema.definitions[$ref.replace("#/definitions/", "")]!);
  return (node.anyOf ?? node.oneOf ?? node.allOf)?.flatMap(alternatives) ?? [node];
}

/** What a setting is, in the words of the page's tables. Words that have to be given as they are stand in backticks. */
function kinds(setting: Node): readonly string[] {
  const words = alternatives(setting).flatMap(({ type = "", enum: fixed, const: only, minimum, maximum }) => {
    if (fixed?.includes("linux/amd64")) return [];
    if (type === "integer") return [minimum === 0 ? "integer" : `integer from ${minimum} to ${maximum}`];
    if (type === "string") return (fixed ?? (only === undefined ? [] : [only])).map((word) => `\`${word}\``);
    return { array: ["list"], object: ["map"], boolean: ["boolean"] }[type] ?? [];
  });
  return [...new Set(words)].toSorted();
}

function kindsIn(cell: string): readonly string[] {
  const found = cell.match(/integer(?: from \d+ to \d+)?|\blist\b|\bmap\b|\bboolean\b|`[a-z]+`/g) ?? [];
  return [...new Set(found)].toSorted();
}

/** Apps of the names the file lists; the schema has nothing else of them. */
function namedInFile(): readonly AppSpecification[] {
  const file = JSON.parse(readFileSync(schemaFile, "utf8")) as Node;
  const list = file.properties?.["config"]?.properties?.[`${prefix}newPackages`];
  const names = list?.items?.anyOf?.find((node) => node.enum !== undefined)?.enum ?? [];
  return names.map((name) => ({ name, source: { kind: "gitTags", url: "https://git.example/app.git" } }));
}

const page = "docs/configuration.md";

/** The table of the page whose header begins with these columns. */
function pageTable(...header: readonly string[]): readonly (readonly string[])[] {
  const rows = readFileSync(page, "utf8")
    .split("\n")
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const start = rows.findIndex((cells) => header.every((name, column) => cells[column] === name));
  const length = rows.slice(start).findIndex((cells) => cells.length === 0);
  return rows.slice(start + 2, start + length);
}

const bare = (cell = "") => cell.replaceAll("`", "");

describe("the JSON schema of the stack files", () => {
  it("is what the code makes now; `npx vitest run test/config/stackFileSchema.test.ts --update` writes it anew", async () => {
    // Before that it does not name the apps of a fork, which only editors notice.
    const writes = expect.getState().snapshotState.snapshotUpdateState === "all";
    const made = stackFileSchema(writes ? apps : namedInFile());
    const text = await format(JSON.stringify(made), { parser: "json", printWidth: 120 });
    await expect(text).toMatchFileSnapshot(`../../${schemaFile}`);
  });

  const validate = new Ajv({ allErrors: true }).compile(schema);

  it.each(stackFiles)("finds %s valid, which names it for editors", (file) => {
    const text = readFileSync(file, "utf8");
    expect(text.split("\n")[0]).toBe(`# yaml-language-server: $schema=${schemaFile}`);
    expect({ valid: validate(parse(text)), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  const config = { [`${prefix}namespace`]: "owner" };

  it.each<readonly [string, object]>([
    ["settings of providers", { config: { ...config, "github:token": "x" } }],
    ["a variable for a number", { config: { ...config, [`${prefix}keep`]: "${KEEP}" } }],
    [
      "what pulumi config set writes",
      { config: { ...config, [`${prefix}keep`]: "4", [`${prefix}floatingTags`]: "false" } },
    ],
    ["lines to keep", { config: { ...config, [`${prefix}keep`]: { latest: 3, perMinor: 1, minors: 2 } } }],
    ["an app without settings", { config: { ...config, [`${prefix}apps`]: { [someApp]: null } } }],
    ["the salt of a passphrase", { config, encryptionsalt: "v1:x" }],
  ])("takes %s", (_, file) => {
    expect({ valid: validate(file), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  it.each<readonly [string, object]>([
    ["no namespace", { config: {} }],
    ["an unknown key", { config: { ...config, [`${prefix}kep`]: 3 } }],
    ["a key without the project's name", { config: { ...config, keep: 3 } }],
    ["a key of Pulumi that is none", { config, encryptionsalz: "x" }],
    ["an unknown app", { config: { ...config, [`${prefix}apps`]: { nosuch: {} } } }],
    ["an unknown setting of an app", { config: { ...config, [`${prefix}apps`]: { [someApp]: { kep: 1 } } } }],
    ["an unknown platform", { config: { ...config, [`${prefix}platforms`]: ["linux/amd46"] } }],
    ["a platform twice", { config: { ...config, [`${prefix}platforms`]: ["linux/arm64", "linux/arm64"] } }],
    ["half of the lines to keep", { config: { ...config, [`${prefix}keep`]: { latest: 3, perMinor: 1 } } }],
    ["too many versions", { config: { ...config, [`${prefix}keep`]: 1001 } }],
    ["a text for a switch", { config: { ...config, [`${prefix}floatingTags`]: "yes" } }],
    ["a cache without its directory", { config: { ...config, [`${prefix}cache`]: { type: "local" } } }],
    [
      "a mode of another signing",
      { config: { ...config, [`${prefix}attest`]: { signing: { mode: "off", key: "x" } } } },
    ],
  ])("refuses %s", (_, file) => {
    expect(validate(file)).toBe(false);
  });

  it("has the descriptions that Pulumi.yaml has", () => {
    const declared = (parse(readFileSync("Pulumi.yaml", "utf8")) as { config: Record<string, Node> }).config;
    const described = (of: Readonly<Record<string, Node>>) =>
      Object.fromEntries(Object.entries(of).map(([key, { description }]) => [key, description]));
    expect(described(settings)).toEqual(described(declared));
  });
});

describe("the tables of settings", () => {
  it("have the keys, types and defaults of a stack", () => {
    const rows = pageTable("key", "type", "default", "meaning");
    expect(rows.map(([key]) => bare(key))).toEqual(Object.keys(settings));
    for (const [key, type = "", byDefault] of rows) {
      const setting = settings[bare(key)]!;
      expect({ key, kinds: kindsIn(type) }).toEqual({ key, kinds: kinds(setting) });
      const required = schema.properties!["config"]!.required!.includes(`${prefix}${bare(key)}`);
      if (required) expect(byDefault).toBe("none, required");
      else expect({ key, byDefault: parse(bare(byDefault)) as unknown }).toEqual({ key, byDefault: setting.default });
    }
  });

  it("have the keys and types of an app", () => {
    const app = schema.definitions["app"]!.properties!;
    const rows = pageTable("key", "type", "meaning");
    expect(rows.map(([key]) => bare(key))).toEqual(Object.keys(app));
    for (const [key, type = ""] of rows.filter(([, cell]) => cell !== "as above"))
      expect({ key, kinds: kindsIn(type) }).toEqual({ key, kinds: kinds(app[bare(key)]!) });
  });

  it("have the types of cache and what each takes", () => {
    const maps = alternatives(settings["cache"]!).filter(({ type }) => type === "object");
    const types = maps.map(({ properties, required = [] }) => {
      const { type, ...others } = properties!;
      const names = Object.keys(others).map((name) => (required.includes(name) ? `${name} (required)` : name));
      return [type!.const, names.join(", ")];
    });
    const rows = pageTable("`type`", "settings");
    expect(rows.map(([type, of]) => [bare(type), bare(of)]).toSorted()).toEqual(types.toSorted());
  });

  it("have the keys, types and defaults of attest", () => {
    const attest = alternatives(settings["attest"]!).find(({ type }) => type === "object")!.properties!;
    const tables = readFileSync(page, "utf8").split("`attest` as a map:");
    expect(tables).toHaveLength(2);
    for (const [key, setting] of Object.entries(attest)) {
      const row = tables[1]!.split("\n").find((line) => line.startsWith(`| \`${key}\``))!;
      const [, , type = "", byDefault] = row.split("|").map((cell) => cell.trim());
      expect({ key, kinds: kindsIn(type) }).toEqual({ key, kinds: kinds(setting) });
      expect({ key, byDefault: parse(bare(byDefault)) as unknown }).toEqual({ key, byDefault: setting.default });
    }
  });
});
