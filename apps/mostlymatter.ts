import type { AppSpecification, BuildTarget } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** Up to 10.4.2 there was one binary, for amd64, without the architecture in its name. */
function binaryUrl({ version, architecture }: BuildTarget): string {
  return `https://packages.framasoft.org/projects/mostlymatter/mostlymatter-${architecture}-v${version}`;
}

/** Framasoft's fork of Mattermost without user limits: the Mattermost image with the fork's server binary. */
export const mostlymatter: AppSpecification = {
  name: "mostlymatter",
  title: "Mostlymatter",
  description: "Mattermost without limits, by Framasoft",
  licenses: "AGPL-3.0-only",
  url: "https://framagit.org/framasoft/framateam/mostlymatter",
  reason: "Upstream publishes binaries for linux/amd64 and linux/arm64, and no image.",
  source: { kind: "gitTags", url: "https://framagit.org/framasoft/framateam/mostlymatter.git" },
  tagRule: /^v(\d+\.\d+\.\d+)-limitless$/,
  ownDockerfile: "apps/mostlymatter.Dockerfile",
  bases: [{ context: "mattermost", app: "mattermost" }],
  buildArguments: (target) => ({ BINARY_URL: binaryUrl(target) }),
  files: (target) => [
    {
      url: binaryUrl(target),
      sums: { url: `${binaryUrl(target)}.sha512`, algorithm: "sha512" },
      checksumArgument: "BINARY_CHECKSUM",
    },
  ],
  floatingTags: ["latest", "major", "minor"],
  smoke: {
    command: ["/mattermost/bin/mattermost", "version"],
    expect: ({ version }) => new RegExp(`^Version:\\s*${literally(version)}\\s*$`, "m"),
  },
  identical: { path: "/mattermost/bin/mattermost", file: binaryUrl, replaces: true },
};
