import type { BuildRecordInput } from "../../components/model/buildRecord";

/** A complete build record. */
export const exampleRecord: BuildRecordInput = {
  version: "1.2.3",
  tag: "1.2.3",
  upstream: { repository: "https://github.com/example/app", reference: "v1.2.3", kind: "tag", commit: "a".repeat(40) },
  dockerfile: { path: "build/Dockerfile", owner: "upstream" },
  subdirectory: "server",
  namedContexts: { "docker.io/library/debian:12": `docker-image://docker.io/library/debian@sha256:${"b".repeat(64)}` },
  buildArguments: {
    "linux/amd64": { PACKAGE: "https://example.org/amd64.tar.gz", EMPTY: "" },
    "linux/arm64": { PACKAGE: "x" },
  },
  platforms: { "linux/amd64": { origin: "built" }, "linux/arm64": { origin: "built" } },
  bases: [
    { reference: "docker.io/library/debian:12", digest: `sha256:${"b".repeat(64)}` },
    { reference: "gcr.io/other:1" },
  ],
  files: [{ url: "https://example.org/amd64.tar.gz", sha256: "c".repeat(64) }],
  builder: { id: "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main" },
  project: { repository: "https://github.com/example/mirror", commit: "d".repeat(40) },
  run: {
    invocationId: "https://github.com/example/mirror/actions/runs/1/attempts/1",
    startedOn: "2026-01-01T00:00:00Z",
  },
};

/** The platform images of {@link exampleRecord}. */
export const exampleImages = {
  "linux/amd64": `sha256:${"1".repeat(64)}`,
  "linux/arm64": `sha256:${"2".repeat(64)}`,
} as const;
