import { createHash } from "node:crypto";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { type PrintingPlatform, printingProgram } from "../support/printingProgram";
import { mattermostOutput } from "./mattermost";

/** Versions of the fork: behind Mattermost, lines interleaved as well. */
export const mostlymatterVersions: readonly string[] =
  "10.4.2 11.6.5 11.7.4 11.7.6 11.6.6 11.8.4 11.7.8 11.8.5 11.9.0 11.7.9 11.9.1".split(" ");

/**
 * Writes the git repository of a stand-in for Mostlymatter: the tree of Mattermost, so no Dockerfile at its root; tags of
 * its own, annotated, beside Mattermost's. @returns its URL.
 */
export async function writeMostlymatter(sandbox: Sandbox): Promise<string> {
  const { url } = await sandbox.createGitRepository(
    "framasoft/framateam/mostlymatter",
    mostlymatterVersions.map((version) => ({
      files: { "README.md": `The fork of ${version}\n`, "server/build/Dockerfile": "FROM scratch\n" },
      tags: [{ name: `v${version}-limitless`, message: version }, `v${version}`, `v${version}-limitless-rc1`],
    })),
  );
  return url;
}

/** The fork's server program: a job number for the build, and so other bytes than Mattermost's. */
export function mostlymatterProgram(version: string, platform: PrintingPlatform): Buffer {
  return printingProgram(platform, mattermostOutput(version, "4711"));
}

/** Offers the fork's program of a version and its sum file; `content` is the file, when it is not the right one. */
export function putBinary(
  sandbox: Sandbox,
  version: string,
  platform: PrintingPlatform,
  content: Buffer = mostlymatterProgram(version, platform),
  published: Buffer = content,
): void {
  const path = `packages.framasoft.org/projects/mostlymatter/mostlymatter-${platform.slice("linux/".length)}-v${version}`;
  sandbox.putFile(path, content);
  sandbox.putFile(`${path}.sha512`, `${createHash("sha512").update(published).digest("hex")}  mostlymatter\n`);
}
