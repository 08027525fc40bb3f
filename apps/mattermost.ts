import type { AppSpecification, BuildTarget } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** `team` is the Team Edition; `enterprise` the Enterprise-capable build, which runs unlicensed as well. */
type Edition = "team" | "enterprise";

/** The edition this mirror publishes. */
const edition: Edition = "enterprise";

const packagePrefix: Readonly<Record<Edition, string>> = { team: "mattermost-team", enterprise: "mattermost" };

function packageUrl({ version, architecture }: BuildTarget): string {
  return `https://releases.mattermost.com/${version}/${packagePrefix[edition]}-${version}-linux-${architecture}.tar.gz`;
}

/** The Mattermost server; upstream publishes an image for amd64 only, but packages for arm64 as well. */
export const mattermost: AppSpecification = {
  name: "mattermost",
  title: "Mattermost",
  description: `Mattermost server, ${edition} edition`,
  // Upstream's own terms, which differ for sources and packages: its LICENSE.txt.
  licenses: "LicenseRef-Mattermost",
  url: "https://mattermost.com",
  reason: "Upstream publishes an image for linux/amd64 only.",
  source: { kind: "githubReleases", repository: "mattermost/mattermost" },
  tagRule: /^v(\d+\.\d+\.\d+)$/,
  subdirectory: "server/build",
  buildArguments: (target) => ({ MM_PACKAGE: packageUrl(target) }),
  files: (target) => [{ url: packageUrl(target) }],
  floatingTags: ["latest", "major", "minor"],
  smoke: {
    command: ["/mattermost/bin/mattermost", "version"],
    expect: ({ version }) => new RegExp(`^Build Number:\\s*${literally(version)}\\s*$`, "m"),
  },
};
