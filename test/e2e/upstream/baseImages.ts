import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { type PrintingPlatform, printingProgram } from "../support/printingProgram";
import { debianLayer } from "./debianLayer";
import { type Layer, layerOf, type LayerFile } from "./layer";
import { pushImage, type PushedImage } from "./pushImage";

const usual = ["linux/amd64", "linux/arm64"] as const;

const applets = "cat chmod chown cp env grep gunzip ln ls mkdir mv rm sed sh tar test uname wget".split(" ");

/** What a small system needs besides a shell. */
const system: readonly LayerFile[] = [
  { name: "etc/passwd", body: "root:x:0:0::/root:/bin/sh\nnodejs:x:1001:1001::/home/nodejs:/bin/sh\n" },
  { name: "etc/group", body: "root:x:0:\nnodejs:x:1001:\n" },
  { name: "tmp", type: "directory", mode: 0o1777 },
];

/** How {@link pushBase} makes an image. */
export interface BaseOptions {
  /** Default true. */
  readonly shell?: boolean;
  /** Default: amd64 and arm64. */
  readonly platforms?: readonly PrintingPlatform[];
  /** More layers, on top of the others. */
  readonly extra?: readonly Layer[];
  /** More of the image configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Pushes a stand-in for an image of another registry under the name the sandbox's clients look for it.
 * @param name `docker.io/library/ubuntu:jammy`
 */
export async function pushBase(
  sandbox: Sandbox,
  name: string,
  files: (platform: PrintingPlatform) => readonly LayerFile[],
  options: BaseOptions = {},
): Promise<PushedImage> {
  const { shell: withShell = true, platforms = usual, extra = [], config = {} } = options;
  const [repository = "", tag = ""] = name.split(/:(?=[^/]*$)/);
  const images = platforms.map(async (platform) => {
    const shell = withShell ? [await debianLayer(platform, ["busybox-static"]), await links()] : [];
    const layers = [...shell, await layerOf([...system, ...files(platform)]), ...extra];
    return { platform, layers, config: { Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], ...config } };
  });
  return pushImage(`${sandbox.urls.registry}/${repository}`, tag, await Promise.all(images));
}

/** The helper program of a {@link pushDistribution} for a platform. */
export function helperProgram(platform: PrintingPlatform): Buffer {
  return printingProgram(platform, `helper for ${platform}\n`);
}

/** A distribution with a shell, downloader and archiver, and a helper program of its architecture. */
export function pushDistribution(sandbox: Sandbox, name: string): Promise<PushedImage> {
  return pushBase(sandbox, name, (platform) => [
    { name: "usr/bin/helper", mode: 0o755, body: helperProgram(platform) },
    { name: "etc/release", body: name },
  ]);
}

function links() {
  return layerOf(
    applets.map((applet): LayerFile => ({ name: `bin/${applet}`, type: "symlink", linkname: "busybox", mode: 0o777 })),
  );
}
