import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { MissingToolError } from "./missingToolError";
import { runProgram } from "./runProgram";
import type { Source, Tool } from "./tool";

type GoSource = Extract<Source, { from: "go" }>;

const limit = 60 * 60_000;

/** Where the program built from these sources lies: the folder's name changes with anything that goes into it. */
export async function goProgram(tool: Tool, source: GoSource, { cache, modules }: Folders): Promise<string> {
  const folder = path.join(modules, source.module);
  const pins = await Promise.all(["go.mod", "go.sum"].map((file) => readFile(path.join(folder, file), "utf8")));
  const ingredients = [...pins, source.package, source.variables, process.platform, process.arch];
  const key = createHash("sha256").update(JSON.stringify(ingredients)).digest("hex").slice(0, 16);
  return path.join(cache, "tools", `${tool.name}-${tool.version ?? "any"}-${key}`, tool.name);
}

/**
 * Builds a tool from its pinned Go module and puts it at `target` in one step.
 *
 * @throws MissingToolError without Go, or with the end of the compiler's output
 */
export async function goBuild(tool: Tool, source: GoSource, target: string, { modules }: Folders): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const draft = `${target}.${randomUUID()}`;
  const variables = Object.entries(source.variables).map(([name, value]) => `-X ${name}=${value}`);
  const linker = ["-s", "-w", ...variables].join(" ");
  const flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", linker];
  const result = await runProgram("go", ["build", ...flags, "-o", draft, source.package], {
    directory: path.join(modules, source.module),
    environment: { CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
    timeout: limit,
  });
  if (result.status !== 0) {
    await rm(draft, { force: true });
    throw failed(tool, source, result.failure ?? result.stderr);
  }
  await rename(draft, target);
}

function failed(tool: Tool, source: GoSource, reason: string): MissingToolError {
  if (reason.includes("ENOENT")) {
    return new MissingToolError(
      tool.name,
      "not installed, and there is no Go to build it",
      `install version ${tool.version ?? ""} of it, or Go (https://go.dev/doc/install), and put it on PATH`,
    );
  }
  const end = reason.trim().split("\n").slice(-12).join("\n");
  return new MissingToolError(
    tool.name,
    `go build ${source.package} in tools/go/${source.module} failed:\n${end}\n`,
    "check the network (modules are fetched on the first build) and the free disk space, then try again",
  );
}
