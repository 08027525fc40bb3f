import type { AppSpecification } from "../components/model/appSpecification";
import { javaSmoke } from "./javaSmoke";

/** A pastebin; upstream's own image has been for amd64 only since 7.2.0. */
export const pastefy: AppSpecification = {
  name: "pastefy",
  title: "Pastefy",
  description: "Open source alternative to Pastebin and GitHub Gists",
  licenses: "MIT",
  url: "https://pastefy.app",
  source: { kind: "gitTags", url: "https://github.com/interaapps/pastefy.git" },
  official: { reference: ({ version }) => `docker.io/interaapps/pastefy:${version}` },
  smoke: javaSmoke,
};
