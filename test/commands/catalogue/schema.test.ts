import { readFileSync } from "node:fs";
import Ajv from "ajv";
import { describe, expect, it } from "vitest";
import { catalogueSchemas, indexSchema, originSchema, proofStateSchema } from "../../../commands/catalogue/schema";

const named = Object.entries(catalogueSchemas());

describe("the JSON schemas of the catalogue", () => {
  it.each(named)("are the files in schemas/: %s", (name, schema) => {
    // When they differ: node -e 'the schema' is what catalogueSchemas() gives.
    expect(JSON.parse(readFileSync(`schemas/${name}`, "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it.each(named)("are JSON schemas that accept no unknown field: %s", (_name, schema) => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate({})).toBe(false);
    expect(JSON.stringify(schema)).not.toContain('"additionalProperties":true');
  });

  it("accept what the program accepts", () => {
    const index = {
      schemaVersion: 1,
      generatedAt: "2026-01-01T00:00:00Z",
      stack: "prod",
      registry: "ghcr.io",
      namespace: "owner",
      identity: "somebody",
      apps: [],
    };
    const [, schema = {}] = named.find(([name]) => name.includes("index")) ?? [];
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(index)).toBe(true);
    expect(indexSchema.safeParse(index).success).toBe(true);
    expect(validate({ ...index, more: 1 })).toBe(false);
  });

  it("name every state in words", () => {
    expect(originSchema.options).toEqual(["built", "copied", "adopted", "published"]);
    expect(proofStateSchema.options).toEqual(["verified", "failed", "unsigned", "not checked"]);
  });
});
