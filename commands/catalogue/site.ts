import { randomUUID } from "node:crypto";
import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "../../components/model/reasonOf";
import { jsonEscape } from "../../components/model/safeText";
import { readKept } from "../../components/system/placeWhole";
import { appSchema, type CatalogueApp, type CatalogueIndex, indexSchema } from "./schema";

/** A site that is being written, beside the one that is there. */
export class SiteDraft {
  private constructor(
    private readonly folder: string,
    private readonly draft: string,
  ) {}

  /** Begins a site that is to be in a folder. */
  static async begin(folder: string): Promise<SiteDraft> {
    const draft = `${folder}.${randomUUID()}`;
    await mkdir(draft, { recursive: true });
    return new SiteDraft(folder, draft);
  }

  /** Writes a file of the site. @param path relative, with `/`. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    await writeFile(await this.place(path), content);
  }

  /** In ASCII: whoever looks at the file is not deceived by what turns lines around or hides, whoever reads it as JSON gets all of it. */
  async writeJson(path: string, value: unknown): Promise<void> {
    await this.write(path, `${JSON.stringify(value, null, 1).replace(/[^\n\x20-\x7e]/g, jsonEscape)}\n`);
  }

  async copy(path: string, from: string): Promise<void> {
    await copyFile(from, await this.place(path));
  }

  /** Puts the site in the place of the one that was there: two renames, of which the first is undone when the second fails. */
  async replace(): Promise<void> {
    const old = `${this.draft}.old`;
    const before = await rename(this.folder, old).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, "ENOENT")) return false;
        throw error;
      },
    );
    try {
      await rename(this.draft, this.folder);
    } catch (error) {
      if (before) await rename(old, this.folder);
      throw error;
    }
    if (before) await rm(old, { recursive: true });
  }

  /** Leaves the site that was there, and nothing of this one. */
  async abandon(): Promise<void> {
    await rm(this.draft, { recursive: true, force: true });
  }

  private async place(path: string): Promise<string> {
    const file = join(this.draft, path);
    await mkdir(dirname(file), { recursive: true });
    return file;
  }
}

/** The catalogue a folder holds. */
export interface PreviousCatalogue {
  readonly index: CatalogueIndex;
  readonly apps: readonly CatalogueApp[];
}

/** Reads the catalogue before this one; undefined where there is none, or one of another form. */
export function previousCatalogue(folder: string): PreviousCatalogue | undefined {
  const index = readKept(join(folder, "index.json"), indexSchema);
  const apps = (index?.apps ?? []).map(({ app }) => readKept(join(folder, `${app}.json`), appSchema));
  return index && apps.every((app) => app !== undefined) ? { index, apps } : undefined;
}

/**
 * What a catalogue no longer has that the one before had, a line each. Nothing that is published is ever deleted, so that a shorter
 * catalogue means that the registry, or the way to it, has lost something.
 */
export function shrinkage(before: PreviousCatalogue | undefined, now: readonly CatalogueApp[]): readonly string[] {
  return (before?.apps ?? []).flatMap((old) => {
    const app = now.find((one) => one.app === old.app);
    if (app === undefined) return old.versions.length > 0 ? [`${old.app} with ${old.versions.length} versions`] : [];
    if (app.repository !== old.repository) return [];
    return old.versions.flatMap(({ tag, platforms }) => {
      const version = app.versions.find((one) => one.tag === tag);
      if (version === undefined) return [`${old.app} ${tag}`];
      const lost = platforms.filter(({ platform }) => version.platforms.every((one) => one.platform !== platform));
      return lost.map(({ platform }) => `${old.app} ${tag} for ${platform}`);
    });
  });
}
