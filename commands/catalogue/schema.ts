import { z } from "zod";

/*
 * The form of the catalogue's files: `index.json`, `<app>.json` and `<app>/<version>.json`. Pages, feeds and badges are made
 * from these and from nothing else. The JSON schemas in `schemas/catalogue-*-v1.schema.json` are written from here.
 * Text comes from upstream, images and registries: whatever shows it escapes it.
 */

const text = z.string();
const time = z.iso.datetime().describe("UTC time");
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const bytes = z.int().min(0).describe("bytes");
const counts = z.record(text, z.int().min(0));

/** How an image came to be. `published`: before anything about it was recorded, or no verified record says. */
export const originSchema = z.enum(["built", "copied", "adopted", "published"]);

/** How the proof of a version stands, as the run that made the catalogue found it. */
export const proofStateSchema = z
  .enum(["verified", "failed", "unsigned", "not checked"])
  .describe("verified: cosign and every other check accepted it; unsigned: nothing attached is the expected signer's");

const checkSchema = z.strictObject({
  what: text,
  ok: z.boolean(),
  detail: text,
  at: time.describe("when it was looked at"),
});

const proofSchema = z.strictObject({
  state: proofStateSchema,
  /** When that was found out; what is attached has not changed since. */
  at: time,
  /** Why nothing was checked. */
  reason: text.optional(),
  /** Whose signatures were accepted: a workflow, another identity, or a key. */
  identity: text,
  signers: z.array(
    z.strictObject({ subject: text, run: text.optional(), signedAt: time.optional(), logIndexes: z.array(text) }),
  ),
  checks: z.array(checkSchema),
  notChecked: z.array(text),
  /** Commands that check the same by hand, for this very digest. */
  commands: z.array(text),
});

const vulnerabilitiesSchema = z.strictObject({
  scanner: text,
  /** When its database was made. */
  database: text.optional(),
  scannedAt: time,
  counts: counts.describe("severity → how many"),
});

const buildSchema = z.strictObject({
  repository: text,
  reference: text,
  commit: text,
  dockerfile: z.strictObject({ path: text, owner: z.enum(["upstream", "mirror"]), sha256: text }),
  frontend: z.strictObject({ reference: text, digest: text }).optional(),
  subdirectory: text.optional(),
  target: text.optional(),
  arguments: z.record(text, text),
  bases: z.array(z.strictObject({ reference: text, digest: text })),
  files: z.array(z.strictObject({ url: text, sha256: text })),
  builder: text,
  run: text.optional(),
  startedAt: time,
  finishedAt: time,
});

/** What the run that built or copied an image looked at before it got its tag, out of its signed record. */
const checksMadeSchema = z.strictObject({
  at: time,
  programs: z.int().min(0).describe("executables of the image's own layers, each for its platform"),
  smoke: z.array(text).optional().describe("the command that answered as expected"),
  identical: z.strictObject({ path: text, url: text, sha256: text }).optional(),
});

const layerSchema = z.strictObject({
  /** Absent: the step changed no file. */
  digest: digest.optional(),
  size: bytes.optional(),
  command: text.optional(),
  created: text.optional(),
});

const platformSchema = z.strictObject({
  platform: text,
  digest,
  origin: originSchema,
  /** Of upstream's image, where it was copied. */
  from: text.optional(),
  created: text.optional(),
  size: bytes.describe("compressed layers and configuration, bytes"),
  signed: z.boolean().optional().describe("absent where nothing was checked"),
  sbom: z
    .strictObject({ file: text, packages: z.int().min(0), created: text.optional() })
    .optional()
    .describe("the attested SBOM, where there is one; file is beside this one"),
  provenance: z.strictObject({ file: text }).optional(),
  checks: checksMadeSchema.optional(),
  build: buildSchema.optional(),
  labels: z.record(text, text),
  entrypoint: z.array(text),
  command: z.array(text),
  user: text,
  workingDirectory: text,
  environment: z.array(text),
  ports: z.array(text),
  volumes: z.array(text),
  layers: z.array(layerSchema),
  vulnerabilities: vulnerabilitiesSchema.optional(),
});

const packageSchema = z.strictObject({
  name: text,
  version: text,
  /** Ecosystem, as package URLs call it. */
  kind: text.optional(),
  licenses: text.optional(),
  /** Where not every platform has it. */
  platforms: z.array(text).optional(),
});

const packageChange = z.strictObject({ name: text, kind: text.optional(), from: text.optional(), to: text.optional() });

/** `<app>/<version>.json`. */
export const versionSchema = z.strictObject({
  schemaVersion: z.literal(1),
  app: text,
  version: text,
  tag: text,
  repository: text,
  digest,
  tags: z.array(text).describe("every tag that names this digest"),
  upstream: z
    .strictObject({
      repository: text,
      reference: text,
      commit: text,
      committed: text.optional().describe("when the commit was made, as the label of an image built here says"),
      notes: text.optional().describe("address of upstream's own notes"),
    })
    .optional()
    .describe("as the verified mirror record says"),
  released: time.optional().describe("when upstream released it"),
  published: time.optional().describe("when the run ended that made the first of its images"),
  missing: z.array(text).describe("platforms the stack wants and the index lacks"),
  platforms: z.array(platformSchema),
  packages: z.array(packageSchema),
  proof: proofSchema,
  changes: z
    .strictObject({
      since: text,
      sizes: z.array(z.strictObject({ platform: text, from: bytes, to: bytes })),
      bases: z.array(z.strictObject({ reference: text, from: text.optional(), to: text.optional() })),
      packages: z.array(packageChange),
    })
    .optional()
    .describe("against the version before"),
});

const eventSchema = z.strictObject({
  /** Never changes, whatever is known about the event later. */
  id: text,
  kind: z.enum(["published", "platform added", "failed"]),
  version: text,
  title: text,
  at: time,
  /** Page it is about, relative to the site's root. */
  page: text,
  detail: text,
});

const stateSchema = z
  .enum(["complete", "incomplete", "failing", "empty"])
  .describe(
    "incomplete: something wanted is missing; failing: a run could not do its work; empty: nothing is published",
  );

const platformStateSchema = z.strictObject({ platform: text, state: z.enum([...originSchema.options, "missing"]) });

const rowSchema = z.strictObject({
  version: text,
  tag: text,
  digest,
  tags: z.array(text),
  released: time.optional(),
  published: time.optional(),
  proof: z.strictObject({ state: proofStateSchema, at: time }),
  missing: z.array(text),
  platforms: z.array(
    platformSchema
      .pick({
        platform: true,
        digest: true,
        origin: true,
        created: true,
        size: true,
        signed: true,
        checks: true,
      })
      .extend({ sbom: z.boolean(), provenance: z.boolean() }),
  ),
});

const appFacts = {
  app: text,
  title: text,
  description: text,
  licenses: text.optional(),
  homepage: text.optional(),
  repository: text,
  upstream: text.describe("git repository"),
  why: text.optional().describe("why there is a mirror of it: what upstream publishes itself"),
  state: stateSchema,
  stateDetail: text,
  lastSuccess: time.optional().describe("end of the last run known that left nothing of it undone"),
};

/** What is said of an app wherever it is named; everything else is left out. */
export const appFactsSchema = z.object(appFacts);

/** `<app>.json`. */
export const appSchema = z.strictObject({
  schemaVersion: z.literal(1),
  generatedAt: time,
  ...appFacts,
  versions: z.array(rowSchema).describe("highest first"),
  floating: z.array(z.strictObject({ tag: text, digest, version: text.optional() })),
  missing: z.array(
    z.strictObject({
      version: text,
      reason: text,
      failures: z.int().min(1).optional(),
      nextTry: time.optional().describe("not before; absent: with the next run"),
    }),
  ),
  problems: z.array(text),
  events: z.array(eventSchema).describe("newest first"),
});

/** `index.json`. */
export const indexSchema = z.strictObject({
  schemaVersion: z.literal(1),
  generatedAt: time,
  stack: text,
  registry: text,
  namespace: text,
  url: text.optional().describe("where the site is published"),
  identity: text.describe("whose signatures were accepted"),
  run: z.strictObject({ endedAt: time.optional(), good: z.boolean() }).optional().describe("the last run known"),
  apps: z.array(
    z.strictObject({
      ...appFacts,
      newest: z
        .strictObject({ version: text, tag: text, digest, released: time.optional(), published: time.optional() })
        .optional(),
      proof: proofStateSchema.optional().describe("of the newest version"),
      platforms: z.array(platformStateSchema).describe("of the newest version"),
      versions: z.int().min(0),
      missing: z.int().min(0),
    }),
  ),
});

/** One version, as its file says it. */
export type CatalogueVersion = z.output<typeof versionSchema>;
/** One platform of a version. */
export type CataloguePlatform = CatalogueVersion["platforms"][number];
/** One app, as its file says it. */
export type CatalogueApp = z.output<typeof appSchema>;
/** A version in the list of its app. */
export type CatalogueRow = CatalogueApp["versions"][number];
/** Something that happened, for a feed. */
export type CatalogueEvent = z.output<typeof eventSchema>;
/** The whole catalogue in few words. */
export type CatalogueIndex = z.output<typeof indexSchema>;
/** How the proof of a version stands. */
export type Proof = CatalogueVersion["proof"];

/** The JSON schemas of the three kinds of files, by the name each has in `schemas/`. */
export function catalogueSchemas(): Readonly<Record<string, z.core.JSONSchema.BaseSchema>> {
  const named = { index: indexSchema, app: appSchema, version: versionSchema };
  return Object.fromEntries(
    Object.entries(named).map(([kind, schema]) => [
      `catalogue-${kind}-v1.schema.json`,
      z.toJSONSchema(schema.meta({ title: `Catalogue of multiarch-mirror: ${kind}` }), { target: "draft-07" }),
    ]),
  );
}
