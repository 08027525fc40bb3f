import type { GitCommit } from "../../../tools/sandbox/gitRepository";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import type { PrintingPlatform } from "../support/printingProgram";
import { pushBase } from "./baseImages";
import type { PushedImage } from "./pushImage";

/** Upstream's tags in the order of their dates: numeric suffixes are pre-releases, and some names are odd. */
export const outlineTags: readonly string[] = (
  "v0.62-multi-image-test 0.39.0 v0.80.2-ms-debug v0.80.3-0 v0.82.0 v0.83.0 v0.87.3-0 v0.87.3 v0.87.4 v1.0.0-0 v1.0.0-1 v1.0.0-2 " +
  "v1.0.0-test8 v1.0.0 v1.0.1 v1.1.0-0 v1.1.0 v1.2.0-0 v1.2.0-1 v1.2.0-2 v1.2.0-3 v1.2.0 v1.3.0 v1.4.0 v1.5.0 v1.6.0 v1.6.1 " +
  "v1.7.0 v1.7.1 v1.8.0-0 v1.8.0-1 v1.8.0 v1.8.1 v1.8.2-0 v1.9.0 v1.9.1 v1.9.2-0 v1.9.2"
).split(" ");

/** Does what the image's smoke command asks of Node, and no more. */
const node = `#!/bin/sh
# A stand-in: answers the one question that is asked, from the files and the machine it runs on.
case "$(uname -m)" in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
version=$(sed -n 's/.*"version": "\\(.*\\)".*/\\1/p' package.json)
built=false
test -f build/server/index.js && built=true
printf '["%s","%s",%s]\\n' "$version" "$machine" "$built"
`;

const base = `ARG APP_PATH=/opt/outline
FROM node:22.21.0 AS build
ARG APP_PATH
WORKDIR $APP_PATH
COPY package.json ./
RUN mkdir -p build/server \\
    && cp package.json build/base-package.json \\
    && uname -m > build/machine \\
    && echo "serve()" > build/server/index.js
ENV PORT=3000
`;

function dockerfile(old: boolean): string {
  const from = old
    ? "FROM outlinewiki/outline-base AS base"
    : "ARG BASE_IMAGE=outlinewiki/outline-base\nFROM ${BASE_IMAGE} AS base";
  return `ARG APP_PATH=/opt/outline
${from}
ARG APP_PATH
WORKDIR $APP_PATH

FROM node:22.21.0-slim AS runner
ARG APP_PATH
WORKDIR $APP_PATH
ENV NODE_ENV=production
COPY --from=base $APP_PATH/build ./build
COPY --from=base $APP_PATH/package.json ./package.json
USER nodejs
EXPOSE 3000
CMD ["node", "build/server/index.js"]
`;
}

/** Writes the git repository and the base images of a stand-in for Outline. @returns the repository's URL. */
export async function writeOutline(sandbox: Sandbox): Promise<string> {
  for (const tag of ["22.21.0", "22.21.0-slim"]) {
    await pushBase(sandbox, `docker.io/library/node:${tag}`, () => [
      { name: "usr/local/bin/node", mode: 0o755, body: node },
    ]);
  }
  // Somebody's: the base of whatever version was pushed last. No image of the mirror may be made from it.
  await pushBase(sandbox, "docker.io/outlinewiki/outline-base:latest", () => [
    { name: "opt/outline/build/base-package.json", body: '{ "version": "0.0.0" }\n' },
    { name: "opt/outline/build/server/index.js", body: "old()\n" },
    { name: "opt/outline/package.json", body: '{ "version": "0.0.0" }\n' },
  ]);
  const { url } = await sandbox.createGitRepository(
    "outline/outline",
    outlineTags.map((tag, position): GitCommit => ({
      files: {
        "package.json": `{ "name": "outline", "version": "${tag.replace(/^v/, "")}" }\n`,
        "Dockerfile.base": base,
        Dockerfile: dockerfile(position < 5),
      },
      tags: [position % 3 === 0 ? { name: tag, message: tag } : tag],
    })),
  );
  return url;
}

/** Pushes what upstream publishes itself for a version, under `repository` in the sandbox's registry. */
export function pushOfficialOutline(
  sandbox: Sandbox,
  repository: string,
  version: string,
  platforms: readonly PrintingPlatform[],
): Promise<PushedImage> {
  return pushBase(
    sandbox,
    `${repository}:${version}`,
    () => [
      { name: "usr/local/bin/node", mode: 0o755, body: node },
      { name: "opt/outline/package.json", body: `{ "name": "outline", "version": "${version}" }\n` },
      { name: "opt/outline/build/server/index.js", body: "official()\n" },
    ],
    { platforms, config: { WorkingDir: "/opt/outline", Cmd: ["node", "build/server/index.js"] } },
  );
}
