import { composeVersionRecord } from "../../components/decide/composeVersionRecord";
import type { BuiltRecord } from "../../components/model/buildRecord";
import type { VersionRecord } from "../../components/model/versionRecord";

/** The platform images of {@link exampleRecord}. */
export const exampleImages = {
  "linux/amd64": `sha256:${"1".repeat(64)}`,
  "linux/arm64": `sha256:${"2".repeat(64)}`,
} as const;

/** The complete record of one image. */
export const exampleBuild = (platform: keyof typeof exampleImages, over: Partial<BuiltRecord> = {}): BuiltRecord => ({
  schemaVersion: 1,
  origin: "built",
  app: "app",
  version: "1.2.3",
  tag: "1.2.3",
  platform,
  image: { repository: "localhost:5000/mirror/app", digest: exampleImages[platform] },
  checks: { programs: 3, smoke: { command: ["/usr/bin/app", "--version"] } },
  builder: { id: `https://github.com/example/mirror/.github/workflows/mirror.yml@${"d".repeat(40)}` },
  project: { repository: "https://github.com/example/mirror", commit: "d".repeat(40) },
  run: {
    invocationId: "https://github.com/example/mirror/actions/runs/1/attempts/1",
    startedOn: "2026-01-01T00:00:00Z",
    finishedOn: "2026-01-01T00:10:00Z",
  },
  upstream: { repository: "https://github.com/example/app", reference: "v1.2.3", kind: "tag", commit: "a".repeat(40) },
  dockerfile: { path: "build/Dockerfile", owner: "upstream", sha256: "e".repeat(64) },
  frontend: { reference: "docker.io/docker/dockerfile:1", digest: `sha256:${"f".repeat(64)}` },
  subdirectory: "server",
  buildArguments:
    platform === "linux/amd64" ? { PACKAGE: "https://example.org/amd64.tar.gz", EMPTY: "" } : { PACKAGE: "x" },
  namedContexts: { "docker.io/library/debian:12": `docker-image://docker.io/library/debian@sha256:${"b".repeat(64)}` },
  bases: [
    { reference: "docker.io/library/debian:12", digest: `sha256:${"b".repeat(64)}` },
    { reference: "gcr.io/other:1", digest: `sha256:${"0".repeat(64)}` },
  ],
  files: platform === "linux/amd64" ? [{ url: "https://example.org/amd64.tar.gz", sha256: "c".repeat(64) }] : [],
  ...over,
});

/** The record of a version that was built for both platforms in one run. */
export const exampleRecord: VersionRecord = composeVersionRecord({
  version: "1.2.3",
  tag: "1.2.3",
  repository: "localhost:5000/mirror/app",
  upstream: exampleBuild("linux/amd64").upstream,
  records: [exampleBuild("linux/amd64"), exampleBuild("linux/arm64")],
  present: {},
});
