import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { cacheFolder } from "../../../tools/sandbox/layout";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { pushBase } from "./baseImages";
import { digest, type Layer } from "./layer";

const run = promisify(execFile);

const program = `package main

import "runtime"

var version = "unknown"

func main() { println("gotool", version, runtime.GOARCH) }
`;

const dockerfile = `# The compiler runs on the machine that builds, for the machine that is wanted.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags "-X main.version=$VERSION" -o /out/gotool .

FROM scratch
COPY --from=build /out/gotool /usr/bin/gotool
ENTRYPOINT ["/usr/bin/gotool"]
`;

const sources = { "go.mod": "module example.invalid/gotool\n\ngo 1.21\n", "main.go": program };

/** The file in `apps/`: all that a fifth app needs. */
export function goToolApp(sandbox: Sandbox): string {
  return `import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

export const goTool: AppSpecification = {
  name: "gotool",
  source: { kind: "gitTags", url: "${sandbox.urls.git}/example/gotool.git" },
  tagRule: /^release-(\\d+\\.\\d+\\.\\d+)$/,
  buildArguments: ({ version }) => ({ VERSION: version }),
  floatingTags: ["latest", "major"],
  smoke: {
    command: ["/usr/bin/gotool"],
    expect: ({ version, architecture }) => new RegExp(\`^gotool \${literally(version)} \${architecture}$\`, "m"),
  },
};
`;
}

/** Writes the repository of a program that is cross-compiled, and an image with a real Go compiler for this machine alone. */
export async function writeGoTool(sandbox: Sandbox): Promise<void> {
  await sandbox.createGitRepository("example/gotool", [
    { files: { ...sources, Dockerfile: dockerfile }, tags: ["release-1.9.0", "v7.0.0"] },
    { files: { ...sources, Dockerfile: dockerfile, NEWS: "new" }, tags: ["release-1.10.0", "release-1.11.0-beta"] },
  ]);
  const { root, layer } = await compiler();
  const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
  const Env = [`PATH=${root}/bin:/usr/local/bin:/usr/bin:/bin`, "GOCACHE=/go-cache", "GOTOOLCHAIN=local"];
  await pushBase(sandbox, "docker.io/library/golang:1.26", () => [], {
    platforms: [platform],
    extra: [layer],
    config: { Env },
  });
}

/** What of the Go installed here a program without imports needs, and the standard library compiled for both platforms. */
async function compiler(): Promise<{ readonly root: string; readonly layer: Layer }> {
  const { stdout } = await run("go", ["env", "GOROOT", "GOVERSION"], { env: { ...process.env, GOTOOLCHAIN: "local" } });
  const [root = "", version = ""] = stdout.trim().split("\n");
  const key = createHash("sha256")
    .update(JSON.stringify([root, version, sources, 2]))
    .digest("hex")
    .slice(0, 16);
  const file = join(cacheFolder(), "fixtures", "go", `${key}.tar.gz`);
  if (!existsSync(file)) await pack(root, file);
  const bytes = await readFile(file);
  return { root, layer: { bytes, diffId: digest(gunzipSync(bytes)) } };
}

async function pack(root: string, file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "go-image-"));
  try {
    const paths = new Set(["bin/go", "VERSION", "go.env", "pkg/include"].map((path) => join(root, path)));
    for (const [name, text] of Object.entries(sources)) await writeFile(join(folder, name), text);
    for (const GOARCH of ["amd64", "arm64"]) {
      const cache = { GOCACHE: join(folder, "go-cache"), GOTOOLCHAIN: "local", GOFLAGS: "" };
      const env = { ...process.env, ...cache, GOOS: "linux", GOARCH, CGO_ENABLED: "0" };
      await run("go", ["build", "-o", join(folder, "out"), "."], { cwd: folder, env, timeout: 900_000 });
      const { stdout } = await run("go", ["list", "-deps", "-f", "{{if .Standard}}{{.Dir}}{{end}}", "."], {
        cwd: folder,
        env,
      });
      for (const path of stdout.split("\n").filter(Boolean)) paths.add(path);
    }
    const { stdout: tools } = await run("go", ["env", "GOTOOLDIR"]);
    for (const tool of ["asm", "compile", "link"]) paths.add(join(tools.trim(), tool));
    await mkdir(dirname(file), { recursive: true });
    const draft = `${file}.${process.pid}`;
    // A folder within another one would be in the archive twice.
    const outermost = [...paths].filter((path) => ![...paths].some((other) => path.startsWith(`${other}/`)));
    const relative = outermost.map((path) => path.slice(1));
    await run("tar", ["-czf", draft, "-C", folder, "go-cache", "-C", "/", ...relative], { timeout: 300_000 });
    await rename(draft, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
