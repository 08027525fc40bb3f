import { createHash } from "node:crypto";
import { rowOf } from "../../../commands/catalogue/readApp";
import type {
  CatalogueApp,
  CatalogueIndex,
  CataloguePlatform,
  CatalogueVersion,
} from "../../../commands/catalogue/schema";

/** A digest that follows from a name. */
export function digestOf(name: string): string {
  return `sha256:${createHash("sha256").update(name).digest("hex")}`;
}

const at = "2026-11-20T06:20:00.000Z";

/** A platform of an image, built here. */
export function examplePlatform(platform: string, over: Partial<CataloguePlatform> = {}): CataloguePlatform {
  return {
    platform,
    digest: digestOf(platform),
    origin: "built",
    created: "2026-11-19T08:00:00Z",
    size: 312_400_000,
    signed: true,
    sbom: { file: `${platform.replaceAll("/", "-")}.spdx.json`, packages: 3, created: at },
    provenance: { file: `${platform.replaceAll("/", "-")}.provenance.json` },
    checks: { at, programs: 14, smoke: ["/mattermost/bin/mattermost", "version"] },
    build: {
      repository: "https://github.com/mattermost/mattermost.git",
      reference: "v11.1.0",
      commit: "a".repeat(40),
      dockerfile: { path: "server/build/Dockerfile", owner: "upstream", sha256: "e".repeat(64) },
      frontend: { reference: "docker.io/docker/dockerfile:1", digest: digestOf("frontend") },
      subdirectory: "server/build",
      arguments: { MM_PACKAGE: "https://releases.mattermost.com/11.1.0/mattermost-11.1.0-linux-arm64.tar.gz" },
      bases: [{ reference: "docker.io/library/ubuntu:noble", digest: digestOf("base") }],
      files: [
        { url: "https://releases.mattermost.com/11.1.0/mattermost-11.1.0-linux-arm64.tar.gz", sha256: "c".repeat(64) },
      ],
      builder: "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main",
      run: "https://github.com/example/mirror/actions/runs/1/attempts/1",
      startedAt: "2026-11-20T06:17:00.000Z",
      finishedAt: at,
    },
    labels: { "org.opencontainers.image.title": "Mattermost", "org.opencontainers.image.version": "11.1.0" },
    entrypoint: ["/mattermost/bin/mattermost"],
    command: [],
    user: "mattermost",
    workingDirectory: "/mattermost",
    environment: ["PATH=/mattermost/bin:/usr/bin:/bin"],
    ports: ["8065/tcp", "8067/tcp"],
    volumes: ["/mattermost/data"],
    layers: [
      { digest: digestOf("layer"), size: 29_700_000, command: "ADD rootfs.tar / # buildkit", created: at },
      { command: 'ENTRYPOINT ["/mattermost/bin/mattermost"]', created: at },
    ],
    ...over,
  };
}

const identity =
  "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main, issuer https://token.actions.githubusercontent.com";

/** A version for two platforms, verified. */
export function exampleVersion(over: Partial<CatalogueVersion> = {}): CatalogueVersion {
  const { app = "mattermost", version = "11.1.0", tag = version } = over;
  const repository = `ghcr.io/example/${app}`;
  const digest = digestOf(`${app} ${tag}`);
  const checks = ["image", "linux/amd64", "linux/arm64"].map((what) => ({
    what: `signature ${what}`,
    ok: true,
    detail: `${repository}@${digest}`,
    at,
  }));
  return {
    schemaVersion: 1,
    app,
    version,
    tag,
    repository,
    digest,
    tags: [tag, "11.1", "11", "latest"],
    upstream: {
      repository: "https://github.com/mattermost/mattermost.git",
      reference: `v${version}`,
      commit: "a".repeat(40),
      committed: "2026-11-17T10:00:00+00:00",
      notes: `https://github.com/mattermost/mattermost/releases/tag/v${version}`,
    },
    released: "2026-11-18T12:00:00.000Z",
    published: at,
    missing: [],
    platforms: [examplePlatform("linux/amd64"), examplePlatform("linux/arm64", { size: 298_100_000 })],
    packages: [
      { name: "bash", version: "5.2.21-2ubuntu4", kind: "deb", licenses: "GPL-3.0-or-later" },
      { name: "github.com/gorilla/mux", version: "v1.8.1", kind: "golang", licenses: "BSD-3-Clause" },
      { name: "zlib1g", version: "1:1.3.dfsg-3.1ubuntu2", kind: "deb", platforms: ["linux/arm64"] },
    ],
    proof: {
      state: "verified",
      at: "2026-11-20T06:31:00.000Z",
      identity,
      signers: [
        {
          subject: "https://github.com/example/mirror/.github/workflows/mirror.yml@refs/heads/main",
          run: "https://github.com/example/mirror/actions/runs/1/attempts/1",
          signedAt: at,
          logIndexes: ["1234567890"],
        },
      ],
      checks,
      notChecked: [],
      commands: [`cosign verify --certificate-identity 'https://github.com/example' ${repository}@${digest}`],
    },
    changes: {
      since: "11.0.4",
      sizes: [{ platform: "linux/amd64", from: 310_000_000, to: 312_400_000 }],
      bases: [{ reference: "docker.io/library/ubuntu:noble", from: digestOf("old base"), to: digestOf("base") }],
      packages: [
        { name: "bash", kind: "deb", from: "5.2.21-2ubuntu3", to: "5.2.21-2ubuntu4" },
        { name: "libgone1", kind: "deb", from: "1.0" },
        { name: "libnew2", kind: "deb", to: "2.0" },
      ],
    },
    ...over,
  };
}

/** An app that is complete. */
export function exampleApp(over: Partial<CatalogueApp> = {}): CatalogueApp {
  const app = over.app ?? "mattermost";
  return {
    schemaVersion: 1,
    generatedAt: "2026-11-20T06:31:00.000Z",
    app,
    title: "Mattermost",
    description: "Mattermost server, enterprise edition",
    licenses: "LicenseRef-Mattermost",
    homepage: "https://mattermost.com",
    repository: `ghcr.io/example/${app}`,
    upstream: "https://github.com/mattermost/mattermost",
    why: "Upstream publishes an image for linux/amd64 only.",
    state: "complete",
    stateDetail: "everything wanted is published",
    lastSuccess: "2026-11-20T06:25:00.000Z",
    versions: [rowOf(exampleVersion({ app }))],
    floating: ["11", "11.1", "latest"].map((tag) => ({ tag, digest: digestOf(`${app} 11.1.0`), version: "11.1.0" })),
    missing: [],
    problems: [],
    events: [
      {
        id: `tag:multiarch-mirror.github.io,2026:ghcr.io/example/${app}/11.1.0/published`,
        kind: "published",
        version: "11.1.0",
        title: `${app} 11.1.0 is published`,
        at,
        page: `${app}/11.1.0/index.html`,
        detail: `For linux/amd64, linux/arm64, as ${digestOf(`${app} 11.1.0`)}.`,
      },
    ],
    ...over,
  };
}

/** The index of some apps. */
export function exampleIndex(apps: readonly CatalogueApp[], over: Partial<CatalogueIndex> = {}): CatalogueIndex {
  return {
    schemaVersion: 1,
    generatedAt: "2026-11-20T06:31:00.000Z",
    stack: "prod",
    registry: "ghcr.io",
    namespace: "example",
    identity,
    run: { endedAt: "2026-11-20T06:25:00.000Z", good: true },
    apps: apps.map(
      ({ app, title, description, repository, upstream, why, state, stateDetail, lastSuccess, versions, missing }) => ({
        ...{ app, title, description, repository, upstream, state, stateDetail },
        ...(why !== undefined && { why }),
        ...(lastSuccess !== undefined && { lastSuccess }),
        ...(versions[0] && {
          newest: {
            version: versions[0].version,
            tag: versions[0].tag,
            digest: versions[0].digest,
            ...(versions[0].released !== undefined && { released: versions[0].released }),
          },
          proof: versions[0].proof.state,
        }),
        platforms: [
          ...(versions[0]?.platforms ?? []).map(({ platform, origin }) => ({ platform, state: origin })),
          ...(versions[0]?.missing ?? []).map((platform) => ({ platform, state: "missing" as const })),
        ],
        versions: versions.length,
        missing: missing.length,
      }),
    ),
    ...over,
  };
}
