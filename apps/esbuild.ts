import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** The JavaScript bundler; upstream publishes binaries, but no image. */
export const esbuild: AppSpecification = {
  name: "esbuild",
  description: "An extremely fast JavaScript and CSS bundler",
  title: "esbuild",
  licenses: "MIT",
  url: "https://esbuild.github.io",
  reason: "Upstream publishes binaries for many platforms, and no image.",
  source: { kind: "gitTags", url: "https://github.com/evanw/esbuild.git" },
  smoke: {
    command: ["/usr/bin/esbuild", "--version"],
    expect: ({ version }) => new RegExp(`^${literally(version)}$`, "m"),
  },
};
