import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** The command line tool for OpenStreetMap data; upstream publishes neither programs nor an image. */
export const osmiumTool: AppSpecification = {
  name: "osmium-tool",
  title: "Osmium",
  description: "Command line tool for working with OpenStreetMap data",
  licenses: "GPL-3.0-or-later",
  url: "https://osmcode.org/osmium-tool",
  source: { kind: "gitTags", url: "https://github.com/osmcode/osmium-tool.git" },
  ownDockerfile: "apps/osmiumTool.Dockerfile",
  smoke: {
    command: ["osmium", "--version"],
    expect: ({ version }) => new RegExp(`^osmium version ${literally(version)}\\b`, "m"),
  },
};
