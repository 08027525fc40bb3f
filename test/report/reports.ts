import type { AppReport } from "../../components/report/appReport";

/** A report with a bit of everything. */
export const sample: AppReport = {
  app: "mattermost",
  repository: "ghcr.io/acme/mattermost",
  versions: [
    {
      version: "11.10.0",
      tag: "11.10.0",
      state: "missing",
      platforms: [
        { platform: "linux/amd64", state: "will build" },
        { platform: "linux/arm64", state: "not offered", note: "https://example.org/a.tar.gz answers 404" },
      ],
    },
    {
      version: "11.9.1",
      tag: "11.9.1",
      state: "published",
      platforms: [
        { platform: "linux/amd64", state: "published" },
        { platform: "linux/arm64", state: "published" },
      ],
      notes: ["unsigned"],
    },
    {
      version: "9.5.0",
      tag: "9.5.0",
      state: "unknown",
      platforms: [{ platform: "linux/amd64", state: "unknown" }],
      problem: "the registry answered 500",
    },
  ],
  floating: [{ tag: "latest", from: "11.9.1", to: "11.10.0" }],
  rejected: [{ tag: "v1.0.0$(id)", reason: "no version" }],
  notes: ["upstream publishes linux/arm64 itself: 11.9.1"],
  problems: ["discovery failed"],
};
