import { createHash } from "node:crypto";
import { tinyAppFile } from "../../test/e2e/support/tinyUpstream";
import { busyProgram } from "./busyProgram";
import type { Workshop } from "./workshop";

/** One version of an app to be mirrored, as it is upstream. */
export interface UpstreamVersion {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
}

/** How an app's images are made. */
export interface BenchAppOptions {
  readonly name: string;
  /** The first is the lowest. */
  readonly versions: readonly string[];
  /** Seconds of work in a build step; 0: no such step. */
  readonly seconds: number;
  /** Whether the build step, and the file of a few megabytes it follows, are the same in all versions. */
  readonly shared?: boolean;
  /** Size of the file nothing can compress; default: half a megabyte, four where it is shared. */
  readonly bytes?: number;
}

const platforms = ["linux/amd64", "linux/arm64"] as const;
const megabyte = 1 << 20;

/** An app in the sandbox's git server: its program, a file nothing can compress, and if wanted a step that takes time. */
export class BenchApp {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly options: BenchAppOptions,
    readonly versions: readonly UpstreamVersion[],
  ) {}

  static async create(workshop: Workshop, options: BenchAppOptions): Promise<BenchApp> {
    const { url, versions } = await commit(workshop, options);
    return new BenchApp(options.name, url, options, versions);
  }

  /** Releases one more version. */
  async release(workshop: Workshop, version: string): Promise<BenchApp> {
    const { versions } = await commit(workshop, { ...this.options, versions: [version] });
    return new BenchApp(this.name, this.url, this.options, [...this.versions, ...versions]);
  }

  /** The text of its file in `apps/`. Nothing is tried out after the build, as bake tries nothing out. */
  file(workshop: Workshop): string {
    return tinyAppFile(workshop.sandbox, this.name).replace(/^ {2}smoke: .*\n/m, "");
  }
}

/** Numbered versions: `1.0.0`, `1.1.0`, … */
export function versionNumbers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, position) => `1.${position}.0`);
}

async function commit(
  workshop: Workshop,
  { name, versions, seconds, shared = false, bytes = shared ? 4 * megabyte : megabyte / 2 }: BenchAppOptions,
): Promise<{ readonly url: string; readonly versions: readonly UpstreamVersion[] }> {
  const { url, commits } = await workshop.sandbox.createGitRepository(
    name,
    versions.map((version) => ({
      message: `Release ${version}`,
      tags: [`v${version}`],
      files: {
        Dockerfile: dockerfile(seconds > 0),
        version: `${name} ${version}\n`,
        data: noise(`${name} ${shared ? "" : version}`, bytes),
        ...programs(`${name} ${shared ? "" : version}\n`, seconds),
      },
    })),
  );
  const released = versions.map((version, position) => ({
    version,
    tag: `v${version}`,
    commit: commits[position] ?? "",
  }));
  return { url, versions: released };
}

function dockerfile(step: boolean): string {
  const lines = ["FROM scratch", "ARG TARGETARCH", "COPY --chmod=755 bin/${TARGETARCH} /bin/app", "COPY data /data"];
  return `${[...lines, ...(step ? ['RUN ["/bin/app"]'] : []), "COPY version /version", 'ENTRYPOINT ["/bin/app"]'].join("\n")}\n`;
}

function programs(text: string, seconds: number): Readonly<Record<string, { content: Buffer; mode: "100755" }>> {
  const file = (platform: (typeof platforms)[number]): [string, { content: Buffer; mode: "100755" }] => [
    `bin/${platform.slice("linux/".length)}`,
    { content: busyProgram(platform, seconds, text), mode: "100755" },
  ];
  return Object.fromEntries(platforms.map(file));
}

/** Bytes without a pattern, the same for the same seed. */
function noise(seed: string, length: number): Buffer {
  const block = (position: number): Buffer => createHash("sha512").update(`${seed} ${position}`).digest();
  return Buffer.concat(Array.from({ length: length / 64 }, (_, position) => block(position)));
}
