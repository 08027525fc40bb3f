import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MirrorUnderTest } from "./mirrorUnderTest";

/** The configuration of one platform's image, as another client prints it. */
export interface SeenConfig {
  readonly os: string;
  readonly architecture: string;
  readonly config: {
    readonly Cmd?: readonly string[];
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>>;
  };
}

/** The image of an app's version for one platform, seen through `regctl`. */
export class ImageView {
  private constructor(
    private readonly mirror: MirrorUnderTest,
    /** `localhost:5000/mirror/app@sha256:…`. */
    readonly name: string,
    readonly digest: string,
  ) {}

  static async of(mirror: MirrorUnderTest, app: string, version: string, platform: string): Promise<ImageView> {
    const digest = (await mirror.registry.index(app, version)).platforms[platform];
    if (digest === undefined) throw new Error(`${app} ${version} has no image for ${platform}`);
    return new ImageView(mirror, mirror.registry.name(app, digest), digest);
  }

  async config(): Promise<SeenConfig> {
    return JSON.parse(await this.mirror.registry.regctl("image", "inspect", this.name)) as SeenConfig;
  }

  async labels(): Promise<Readonly<Record<string, string>>> {
    return (await this.config()).config.Labels ?? {};
  }

  /** A file of the image. @throws Error when it has none. */
  async file(path: string): Promise<Buffer> {
    const folder = await mkdtemp(join(tmpdir(), "seen-"));
    try {
      await this.mirror.registry.regctl("image", "get-file", this.name, path, join(folder, "file"));
      return await readFile(join(folder, "file"));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
