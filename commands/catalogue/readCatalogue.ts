import type { ConfiguredApp } from "../../components/config/appsSchema";
import { type AppEdges, readApp } from "./readApp";
import { appFactsSchema, type CatalogueApp, type CatalogueIndex } from "./schema";

/** The catalogue but for its versions, which are handed on as they are read. */
export interface ReadCatalogue {
  readonly index: CatalogueIndex;
  readonly apps: readonly CatalogueApp[];
}

/** What of the index is not read. */
export type IndexFacts = Pick<CatalogueIndex, "stack" | "url">;

/**
 * Reads everything the catalogue says, app by app.
 * @throws RegistryError when the registry gives no usable answer: half a catalogue is none.
 */
export async function readCatalogue(facts: IndexFacts, edges: AppEdges): Promise<ReadCatalogue> {
  const { config, now, identity, result } = edges;
  const apps: CatalogueApp[] = [];
  for (const app of config.apps.values()) apps.push(await readNamed(app, edges));
  return {
    apps,
    index: {
      schemaVersion: 1,
      generatedAt: now.toISOString(),
      stack: facts.stack,
      registry: config.registry,
      namespace: config.namespace,
      ...(facts.url !== undefined && { url: facts.url }),
      identity,
      ...(result && { run: { good: result.good, ...(result.endedAt !== undefined && { endedAt: result.endedAt }) } }),
      apps: apps.map(summaryOf),
    },
  };
}

async function readNamed(app: ConfiguredApp, edges: AppEdges): Promise<CatalogueApp> {
  // Their files would be those of the site itself.
  if (app.specification.name !== "index") return readApp(app, edges);
  throw new Error('an app named "index" cannot be in the catalogue; rename it');
}

function summaryOf(app: CatalogueApp): CatalogueIndex["apps"][number] {
  const { versions, missing } = app;
  const newest = versions[0];
  return {
    ...appFactsSchema.parse(app),
    ...(newest && {
      newest: {
        ...{ version: newest.version, tag: newest.tag, digest: newest.digest },
        ...(newest.released !== undefined && { released: newest.released }),
        ...(newest.published !== undefined && { published: newest.published }),
      },
      proof: newest.proof.state,
    }),
    platforms: [
      ...(newest?.platforms ?? []).map(({ platform, origin }) => ({ platform, state: origin })),
      ...(newest?.missing ?? []).map((platform) => ({ platform, state: "missing" as const })),
    ],
    versions: versions.length,
    missing: missing.length,
  };
}
