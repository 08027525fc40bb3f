import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { unpublishedTag } from "../../../components/registry/unpublishedIndex";

const run = promisify(execFile);

/** An index as another client sees it. */
export interface SeenIndex {
  readonly digest: string;
  readonly mediaType: string;
  /** Platform → digest of its manifest. */
  readonly platforms: Readonly<Record<string, string>>;
}

interface RawIndex {
  readonly mediaType: string;
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  }[];
}

/** Reads and damages a registry through `regctl`, never through the program's own client. */
export class RegistryView {
  /** @param repositories registry and namespace: `localhost:5000/mirror`. */
  constructor(
    readonly repositories: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Standard output of a regctl command. @throws Error with its message. */
  async regctl(...args: readonly string[]): Promise<string> {
    const host = this.repositories.split("/")[0] ?? "";
    const plain = host.startsWith("localhost:") ? ["--host", `reg=${host},tls=disabled`] : [];
    const { stdout } = await run("regctl", [...plain, ...args], {
      env: this.env,
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.trim();
  }

  /** The app's tags, sorted, without the one for what is not published; none when the registry does not know the app. */
  async tags(app: string): Promise<readonly string[]> {
    try {
      return (await this.regctl("tag", "ls", this.name(app)))
        .split("\n")
        .filter((tag) => tag !== "" && tag !== unpublishedTag)
        .toSorted();
    } catch (error) {
      if (/not found/i.test(String(error))) return [];
      throw error;
    }
  }

  digest(app: string, tagOrDigest: string): Promise<string> {
    return this.regctl("manifest", "head", this.name(app, tagOrDigest));
  }

  /** The index a tag or digest names. @throws Error when there is none, or it is a single manifest. */
  async index(app: string, tagOrDigest: string): Promise<SeenIndex> {
    const raw = JSON.parse(await this.raw(app, tagOrDigest)) as RawIndex;
    if (!raw.manifests) throw new Error(`${this.name(app, tagOrDigest)} is no index but ${raw.mediaType}`);
    const platforms = raw.manifests.map(({ digest, platform }): [string, string] => [
      [platform?.os, platform?.architecture, platform?.variant].filter(Boolean).join("/"),
      digest,
    ]);
    return {
      digest: await this.digest(app, tagOrDigest),
      mediaType: raw.mediaType,
      platforms: Object.fromEntries(platforms),
    };
  }

  /** The text of a manifest. */
  raw(app: string, tagOrDigest: string): Promise<string> {
    return this.regctl("manifest", "get", "--format", "raw-body", this.name(app, tagOrDigest));
  }

  /** Writes the text of a manifest as it is, as somebody else might. @returns the status of the answer. */
  async putManifest(app: string, tag: string, mediaType: string, body: string): Promise<number> {
    const [host = "", ...path] = this.name(app).split("/");
    const url = `http://${host}/v2/${path.join("/")}/manifests/${tag}`;
    return (await fetch(url, { method: "PUT", headers: { "content-type": mediaType }, body })).status;
  }

  /** Fetches an image with all its platforms and layers; regctl checks every digest. @throws Error when anything is missing. */
  async pull(app: string, tagOrDigest: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "pulled-"));
    try {
      await this.regctl("image", "copy", this.name(app, tagOrDigest), `ocidir://${folder}/image:pulled`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Deletes a manifest, as somebody else might; a tag that names it goes too. */
  async deleteManifest(app: string, digest: string): Promise<void> {
    await this.regctl("manifest", "delete", this.name(app, digest));
  }

  /** Deletes a tag only; what it names stays. */
  async deleteTag(app: string, tag: string): Promise<void> {
    await this.regctl("tag", "rm", this.name(app, tag));
  }

  /** Lets a tag name another manifest, as somebody else might. */
  async retag(app: string, from: string, to: string): Promise<void> {
    await this.regctl("image", "copy", this.name(app, from), this.name(app, to));
  }

  /** `localhost:5000/mirror/app`, with `:tag` or `@sha256:…`. */
  name(app: string, tagOrDigest = ""): string {
    const separator = tagOrDigest === "" ? "" : tagOrDigest.startsWith("sha256:") ? "@" : ":";
    return `${this.repositories}/${app}${separator}${tagOrDigest}`;
  }
}
