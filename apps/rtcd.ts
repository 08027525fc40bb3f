import type { AppSpecification } from "../components/model/appSpecification";

/** Mattermost's server for calls. */
export const rtcd: AppSpecification = {
  name: "rtcd",
  title: "Mattermost RTCD",
  description: "Mattermost's server for voice and screen sharing",
  licenses: "LicenseRef-Mattermost",
  url: "https://github.com/mattermost/rtcd",
  source: { kind: "githubReleases", repository: "mattermost/rtcd" },
  dockerfile: "build/Dockerfile",
  argumentsFromFiles: { GO_VERSION: { path: "go.mod", pattern: /^go (\d+\.\d+(?:\.\d+)?)$/m } },
  // Its Makefile asks git for the program's name and version.
  buildArguments: () => ({ BUILDKIT_CONTEXT_KEEP_GIT_DIR: "1" }),
  smoke: { command: ["/opt/rtcd/bin/rtcd", "-help"], expect: () => /configuration file for the rtcd service/ },
};
