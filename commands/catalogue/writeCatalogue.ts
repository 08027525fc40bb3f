import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apps } from "../../apps";
import type { MirrorConfig } from "../../components/config/mirrorConfig";
import { readConfig } from "../../components/config/readConfig";
import type { AppSpecification } from "../../components/model/appSpecification";
import { RegistryClient } from "../../components/registry/registryClient";
import { readFailureFile } from "../../components/report/failureFile";
import { cacheDirectory } from "../../components/system/cacheDirectory";
import { readResult, type RunResult } from "../reconcile/result";
import { readStackConfig } from "../reconcile/stackConfig";
import { DigestCache } from "./digestCache";
import { readCatalogue } from "./readCatalogue";
import type { ReadVersion } from "./readVersion";
import type { CatalogueRequest } from "./request";
import { appSchema, catalogueSchemas, indexSchema, versionSchema } from "./schema";
import { previousCatalogue, shrinkage, SiteDraft } from "./site";
import { publicKeyFile, verifierFor } from "./verifier";
import { findScanner } from "./vulnerabilities";
import { writeSitePages, writeVersionPages } from "./writePages";

/** What writing the catalogue needs besides the request. */
export interface CatalogueContext {
  readonly environment: NodeJS.ProcessEnv;
  /** The project's root. */
  readonly root: string;
  readonly now: Date;
  readonly progress: (line: string) => void;
  readonly apps?: readonly AppSpecification[];
}

/** How many there are of what. */
export interface WrittenCatalogue {
  readonly apps: number;
  readonly versions: number;
}

/**
 * Reads the registry and writes the site. Whatever goes wrong, the site that was there stays as it is.
 * @throws Error, ConfigError or RegistryError with the reason.
 */
export async function writeCatalogue(request: CatalogueRequest, context: CatalogueContext): Promise<WrittenCatalogue> {
  const { environment, root, now, progress } = context;
  const config = await readStack(request, context);
  const result = await lastResult(request.results);
  const before = previousCatalogue(request.out);
  const directory = await mkdtemp(join(tmpdir(), "catalogue-"));
  const reader = new RegistryClient({ environment });
  const draft = await SiteDraft.begin(request.out);
  try {
    const frame = { stack: request.stack, registry: config.registry, namespace: config.namespace };
    const verifier = await verifierFor(config.attest, { directory, root, environment });
    if (verifier.reason !== undefined) progress(`nothing is verified: ${verifier.reason}`);
    const read = await readCatalogue(
      { stack: request.stack, ...(request.url !== undefined && { url: request.url }) },
      {
        ...verifier,
        ...{ config, reader, now, progress, result, attest: config.attest },
        cache: new DigestCache(join(cacheDirectory(environment), "catalogue")),
        scanner: await findScanner(environment),
        scanFailed: once(progress),
        failures: request.failures === undefined ? {} : readFailureFile(request.failures),
        lastSuccess: (app) => before?.apps.find((one) => one.app === app)?.lastSuccess,
        keep: (version, title) => writeVersion(draft, version, title, { ...frame, generatedAt: now.toISOString() }),
      },
    );
    refuseLoss(request, shrinkage(before, read.apps), read.apps.flatMap(({ versions }) => versions).length);
    await draft.writeJson("index.json", indexSchema.parse(read.index));
    for (const app of read.apps) await draft.writeJson(`${app.app}.json`, appSchema.parse(app));
    await writeSitePages(draft, read.index, read.apps);
    for (const [name, schema] of Object.entries(catalogueSchemas())) await draft.writeJson(`schemas/${name}`, schema);
    if (verifier.publicKey !== undefined) await draft.write(publicKeyFile, verifier.publicKey);
    await draft.replace();
    return { apps: read.apps.length, versions: read.apps.flatMap(({ versions }) => versions).length };
  } finally {
    await draft.abandon();
    await reader.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Of the results that are there, that of the run which ended last: a run that is run again still has those of its earlier attempts. */
async function lastResult(files: readonly string[]): Promise<RunResult | undefined> {
  const results = await Promise.all(files.filter((file) => existsSync(file)).map(readResult));
  return results.toSorted((one, other) => (other.endedAt ?? "").localeCompare(one.endedAt ?? ""))[0];
}

/** What keeps one scan from its work keeps all of them from theirs. */
function once(progress: (line: string) => void): (line: string) => void {
  let told = false;
  return (line) => {
    if (!told) progress(line);
    told = true;
  };
}

/** @throws ConfigError with every mistake in the stack's configuration, Error when only Pulumi can read it. */
async function readStack(
  { configFile }: CatalogueRequest,
  { root, environment, apps: known = apps }: CatalogueContext,
): Promise<MirrorConfig> {
  const [project, stack] = await Promise.all(
    [join(root, "Pulumi.yaml"), configFile].map((file) => readFile(file, "utf8")),
  );
  const { own, sealed } = readStackConfig(project ?? "", stack ?? "");
  if (sealed.length > 0) throw new Error(`only Pulumi can read ${sealed.join(", ")} of the stack's configuration`);
  return readConfig(own, { apps: known, environment });
}

async function writeVersion(
  draft: SiteDraft,
  { version, files }: ReadVersion,
  title: string,
  frame: Parameters<typeof writeVersionPages>[3],
): Promise<void> {
  const folder = `${version.app}/${version.tag}`;
  await writeVersionPages(draft, version, title, frame);
  await draft.writeJson(`${folder}.json`, versionSchema.parse(version));
  for (const [name, file] of files) {
    if ("copyOf" in file) await draft.copy(`${folder}/${name}`, file.copyOf);
    else await draft.writeJson(`${folder}/${name}`, file.json);
  }
}

function refuseLoss({ acceptShrunken }: CatalogueRequest, lost: readonly string[], versions: number): void {
  const remedy = "the site is left as it was; --accept-shrunken replaces it all the same";
  if (acceptShrunken) return;
  if (versions === 0) throw new Error(`the registry shows no version of any app: ${remedy}`);
  if (lost.length === 0) return;
  const shown = lost.slice(0, 10).join(", ");
  throw new Error(
    `the registry no longer shows ${shown}${lost.length > 10 ? ` and ${lost.length - 10} more` : ""}: ${remedy}`,
  );
}
