import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

const common = {
  licenses: "BUSL-1.1",
  url: "https://www.getoutline.com",
  source: { kind: "gitTags", url: "https://github.com/outline/outline.git" },
  // vX.Y.Z-N is a pre-release there, although it is numeric.
  tagRule: /^v(\d+\.\d+\.\d+)$/,
} as const satisfies Partial<AppSpecification>;

/** Outline's build stage, from which the image takes the finished application. */
export const baseOutline: AppSpecification = {
  ...common,
  name: "base-outline",
  title: "Outline (build stage)",
  description: "The built Outline application, base of the outline image",
  dockerfile: "Dockerfile.base",
};

/** The team knowledge base. Upstream publishes it for arm64 as well since 0.63.0. */
export const outline: AppSpecification = {
  ...common,
  name: "outline",
  title: "Outline",
  description: "Knowledge base for growing teams",
  bases: [{ context: "outlinewiki/outline-base", app: "base-outline" }],
  floatingTags: ["latest", "major", "minor"],
  official: {
    reference: ({ version }) => `docker.io/outlinewiki/outline:${version}`,
    whenUpstreamHasPlatform: "build",
  },
  smoke: {
    command: [
      "node",
      "-p",
      "JSON.stringify([require('./package.json').version, process.arch, require('fs').existsSync('build/server/index.js')])",
    ],
    expect: ({ version, architecture }) => {
      const nodeArchitecture = architecture === "amd64" ? "x64" : architecture === "ppc64le" ? "ppc64" : architecture;
      return new RegExp(literally(JSON.stringify([version, nodeArchitecture, true])));
    },
  },
};
