import { gzipSync } from "node:zlib";
import type { GitCommit } from "../../../tools/sandbox/gitRepository";
import type { FixtureRelease } from "../../../tools/sandbox/releaseApi";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { type PrintingPlatform, printingProgram } from "../support/printingProgram";
import { pushBase, pushDistribution } from "./baseImages";
import { archive } from "./layer";

/** Stable versions in the order upstream tagged them: five lines interleave, and the highest is not the newest. */
export const mattermostVersions: readonly string[] = (
  "10.11.13 11.3.3 11.4.3 11.6.0 10.11.14 11.4.4 11.5.2 11.5.3 11.6.1 10.11.15 11.4.5 11.5.4 11.7.0 10.11.17 11.5.5 " +
  "11.6.2 11.7.1 10.11.18 11.5.6 11.6.3 11.7.2 10.11.19 11.5.7 11.6.4 11.8.0 10.11.20 11.6.5 11.7.3 11.7.4 11.8.1 " +
  "11.7.5 11.7.6 11.8.2 10.11.21 11.6.6 11.8.3 11.9.0 10.11.22 11.7.7 11.8.4 11.7.8 11.10.0 10.11.23 11.7.9 11.8.5 11.9.1"
).split(" ");

const candidates =
  "11.6.0-rc3 11.6.0-rc4 11.7.0-rc1 11.7.0-rc2 11.7.0-rc5 11.8.0-rc1 11.8.0-rc2 11.8.0-rc3 10.11.0-rc2 10.11.0-rc3".split(
    " ",
  );

/** Lines nobody maintains any more; they make the release list several pages long. */
const ended = Array.from({ length: 10 }, (_, minor) =>
  Array.from({ length: 20 }, (_, patch) => `9.${minor}.${patch}`),
).flat();

/** A release that has no tag, and a tag that is no release. */
const untagged = "10.11.16";

/** What the release API lists: drafts, candidates and stable ones, newest first. */
export const mattermostReleases: readonly FixtureRelease[] = [
  { tag_name: "v11.11.0", draft: true },
  { tag_name: "v11.10.1", prerelease: true },
  ...mattermostVersions.toReversed().map((version) => ({ tag_name: `v${version}` })),
  ...candidates.map((version) => ({ tag_name: `v${version}`, prerelease: true })),
  { tag_name: `v${untagged}` },
  ...ended.toReversed().map((version) => ({ tag_name: `v${version}` })),
].map((release, position) => ({
  ...release,
  published_at: new Date(Date.UTC(2026, 7, 13) - position * 86_400_000).toISOString(),
}));

/** Since 10.10: the package is unpacked in a stage of its own, the image has no shell; the helper comes from the stage. */
function twoStages(builder: string): string {
  return `# Unpacks the package; none of this stage's system gets into the image but one helper program.
FROM ${builder} AS unpack
ARG MM_PACKAGE="https://releases.mattermost.com/0.0.0/mattermost-0.0.0-linux-amd64.tar.gz"
RUN mkdir -p /mattermost/data /mattermost/plugins \\
    && wget -q -O /tmp/package.tar.gz "$MM_PACKAGE" \\
    && tar -xzf /tmp/package.tar.gz -C / \\
    && chown -R 2000:2000 /mattermost

FROM gcr.io/distroless/base-debian12
COPY --from=unpack --chown=2000:2000 /mattermost /mattermost
COPY --from=unpack /usr/bin/helper /usr/bin/helper
USER 2000
WORKDIR /mattermost
ENV PATH="/mattermost/bin:\${PATH}"
HEALTHCHECK --interval=30s CMD ["/mattermost/bin/mmctl", "system", "status", "--local"]
EXPOSE 8065 8067 8074 8075
CMD ["/mattermost/bin/mattermost"]
`;
}

/** Until about 10.9: one stage on a distribution. */
function oneStage(base: string): string {
  return `FROM ${base}
ARG MM_PACKAGE="https://releases.mattermost.com/0.0.0/mattermost-0.0.0-linux-amd64.tar.gz"
SHELL ["/bin/sh", "-eu", "-c"]
RUN wget -q -O - "$MM_PACKAGE" | tar -xz -C /
ENV PATH="/mattermost/bin:\${PATH}"
WORKDIR /mattermost
COPY --chmod=755 entrypoint.sh /
ENTRYPOINT ["/entrypoint.sh"]
CMD ["mattermost"]
`;
}

/** The Dockerfile of a version: what is pinned changed over the years. */
function dockerfile(version: string, pins: Readonly<Record<"jammy" | "noble" | "later", string>>): string {
  if (/^(?:9|10)\.|^11\.[3-6]\./.test(version)) return oneStage(`ubuntu:jammy-20230308@${pins.jammy}`);
  if (/^11\.[78]\./.test(version)) return twoStages(`ubuntu:noble-20250415.1@${pins.noble}`);
  return twoStages(`ubuntu:noble-20251013@${pins.later}`);
}

/** Pushes the images the Dockerfiles build on. @returns the digests they pin: the first two of amd64 alone, the last an index. */
async function pushBases(sandbox: Sandbox): Promise<Readonly<Record<"jammy" | "noble" | "later", string>>> {
  const jammy = await pushDistribution(sandbox, "docker.io/library/ubuntu:jammy-20230308");
  const noble = await pushDistribution(sandbox, "docker.io/library/ubuntu:noble-20250415.1");
  const later = await pushDistribution(sandbox, "docker.io/library/ubuntu:noble-20251013");
  await pushBase(sandbox, "gcr.io/distroless/base-debian12:latest", () => [{ name: "etc/release", body: "plain" }], {
    shell: false,
  });
  const single = "linux/amd64";
  return { jammy: jammy.platforms[single] ?? "", noble: noble.platforms[single] ?? "", later: later.index };
}

/** Writes the git repository, the release list and the base images of a stand-in for Mattermost. @returns the repository's URL. */
export async function writeMattermost(sandbox: Sandbox): Promise<string> {
  const pins = await pushBases(sandbox);
  const tree = (version: string): GitCommit["files"] => ({
    "README.md": `The server, version ${version}\n`,
    "server/build/Dockerfile": dockerfile(version, pins),
    "server/build/entrypoint.sh": { content: '#!/bin/sh\nexec "$@"\n', mode: "100755" },
  });
  const { url } = await sandbox.createGitRepository("mattermost/mattermost", [
    ...ended.map((version) => ({ files: tree(version), tags: [`v${version}`] })),
    ...candidates.map((version) => ({ files: tree(version), tags: [`v${version}`] })),
    ...mattermostVersions.map((version, position) => ({
      files: tree(version),
      // Annotated and lightweight tags take turns.
      tags: [position % 2 === 0 ? { name: `v${version}`, message: version } : `v${version}`],
    })),
    { files: tree("11.11.0"), tags: ["v11.10.1", "server/public/v0.1.21", "cloud-2026-08-01-1", "v11.12"] },
  ]);
  sandbox.setReleases("mattermost/mattermost", mattermostReleases);
  return url;
}

/** What the server of a version answers to `version`. */
export function mattermostOutput(version: string, buildNumber: string = version): string {
  return [
    `Version: ${version}`,
    `Build Number: ${buildNumber}`,
    "Build Date: 2026-08-13",
    "Build Hash: 0123abcd",
    "Build Enterprise Ready: true",
    "",
  ].join("\n");
}

/** The server program of a version and platform. */
export function mattermostProgram(version: string, platform: PrintingPlatform): Buffer {
  return printingProgram(platform, mattermostOutput(version));
}

/** Where the file server has a package, below the host it stands in for. */
export function packagePath(version: string, architecture: string): string {
  return `releases.mattermost.com/${version}/mattermost-${version}-linux-${architecture}.tar.gz`;
}

/** Offers the package of a version. `program` is the server in it, when it is not the right one. */
export async function putPackage(
  sandbox: Sandbox,
  version: string,
  platform: PrintingPlatform,
  program: Buffer = mattermostProgram(version, platform),
): Promise<void> {
  const tar = await archive([
    { name: "mattermost/bin/mattermost", mode: 0o755, body: program },
    { name: "mattermost/bin/mmctl", mode: 0o755, body: printingProgram(platform, `mmctl ${version}\n`) },
    { name: "mattermost/config/config.json", body: "{}\n" },
  ]);
  sandbox.putFile(packagePath(version, platform.slice("linux/".length)), gzipSync(tar));
}
