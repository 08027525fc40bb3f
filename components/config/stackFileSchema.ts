import { z } from "zod";
import type { AppSpecification } from "../model/appSpecification";
import { stackKeys } from "./mirrorConfig";

/**
 * The JSON schema of a whole `Pulumi.<stack>.yaml`, for editors: `schemas/stack-config.schema.json` in the project.
 * It knows less than {@link readConfig}: grammars of references and addresses, and what several keys say together.
 */
export function stackFileSchema(apps: readonly AppSpecification[]): z.core.JSONSchema.BaseSchema {
  const keys = Object.entries(stackKeys(apps).shape).map(
    ([key, schema]) => [`multiarch-mirror:${key}`, schema] as const,
  );
  const file = z.strictObject({
    config: z
      .strictObject(Object.fromEntries(keys))
      // Settings of Pulumi and its providers.
      .meta({ patternProperties: { "^(?!multiarch-mirror:)[^:]+:": {} } }),
    encryptionsalt: z.string().optional(),
    encryptedkey: z.string().optional(),
    secretsprovider: z.string().optional(),
    environment: z.unknown().optional(),
  });
  const { definitions, ...schema } = z.toJSONSchema(file.meta({ title: "Stack configuration of multiarch-mirror" }), {
    target: "draft-07",
    io: "input",
    override: ({ jsonSchema }) => {
      listKeys(jsonSchema);
      allowVariables(jsonSchema);
    },
  });
  const variable = {
    type: "string",
    pattern: String.raw`\$\{[A-Z_][A-Z0-9_]*\}`,
    description: "Taken from the environment.",
  };
  return { ...schema, definitions: { ...(definitions as object), variable } };
}

/** Names the keys of a map one by one, which is what editors complete. */
function listKeys(schema: z.core.JSONSchema.BaseSchema): void {
  const names = typeof schema.propertyNames === "object" ? schema.propertyNames.enum : undefined;
  if (names === undefined || schema.additionalProperties === undefined) return;
  schema.properties = Object.fromEntries(names.map((name) => [String(name), schema.additionalProperties ?? {}]));
  schema.additionalProperties = false;
  delete schema.propertyNames;
}

/** What `pulumi config set` writes: it puts numbers and switches in quotes. */
const quoted: Readonly<Record<string, string>> = { integer: "^[0-9]{1,9}$", boolean: "^(true|false)$" };

/** Any text may hold a variable, and a text that is one may stand for a number or a switch. */
function allowVariables(schema: z.core.JSONSchema.BaseSchema): void {
  const about = ["description", "default", "id"];
  const rules = Object.fromEntries(Object.entries(schema).filter(([key]) => !about.includes(key)));
  const free = schema.type === "string" && Object.keys(rules).length === 1;
  if (free || !["string", "integer", "boolean"].includes(String(schema.type)) || schema.const !== undefined) return;
  for (const rule of Object.keys(rules)) Reflect.deleteProperty(schema, rule);
  const pattern = quoted[String(rules["type"])];
  const text = pattern === undefined ? [] : [{ type: "string", pattern } as const];
  schema.anyOf = [rules, ...text, { $ref: "#/definitions/variable" }];
}
