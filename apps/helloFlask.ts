import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** A small Flask application that has a branch and no releases: its version is the commit. */
export const helloFlask: AppSpecification = {
  name: "hello-flask",
  title: "hello-flask",
  description: "A minimal Flask web application",
  url: "https://github.com/larsks/hello-flask",
  reason: "Upstream publishes no image.",
  source: { kind: "gitBranch", url: "https://github.com/larsks/hello-flask.git", branch: "master" },
  platforms: ["linux/amd64", "linux/arm64", "linux/ppc64le"],
  floatingTags: ["latest"],
  smoke: {
    command: ["python", "-c", "import hello_flask,platform;print(hello_flask.index(),platform.machine())"],
    expect: ({ machine }) => new RegExp(`^Hello world ${literally(machine)}$`, "m"),
  },
};
