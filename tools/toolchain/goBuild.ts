import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Folders } from "./folders";
import { MissingToolError } from "./missingToolError";
import { placeWhole } from "../../components/system/placeWhole";
import { outputOf, ProcessError } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import type { Source, Tool } from "./tool";

type GoSource = Extract<Source, { from: "go" }>;

const limit = 60 * 60_000;

/**
 * Flags of every `go build`: with the same ones, programs share what is compiled. Debug information, which the linker throws away,
 * is not made, and Google's storage client is built without what only its gRPC transport needs, which no program here uses
 * (https://pkg.go.dev/cloud.google.com/go/storage#hdr-gRPC_API).
 */
export const buildFlags: readonly string[] = [
  ...["-mod=readonly", "-buildvcs=false", "-trimpath"],
  ...["-gcflags=all=-dwarf=false", "-tags=disable_grpc_modules"],
];

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
  const variables = Object.entries(source.variables).map(([name, value]) => `-X ${name}=${value}`);
  const linker = ["-s", "-w", ...variables].join(" ");
  const build = (draft: string): Promise<string> =>
    outputOf("go", ["build", ...buildFlags, "-ldflags", linker, "-o", draft, source.package], {
      directory: path.join(modules, source.module),
      environment: { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
      limitMs: limit,
    });
  await placeWhole(target, build).catch((cause: unknown) => {
    throw failed(tool, source, cause);
  });
}

function failed(tool: Tool, source: GoSource, cause: unknown): MissingToolError {
  if (cause instanceof ProcessError && cause.kind === "start") {
    return new MissingToolError(
      tool.name,
      "not installed, and there is no Go to build it",
      `install version ${tool.version ?? ""} of it, or Go (https://go.dev/doc/install), and put it on PATH`,
    );
  }
  return new MissingToolError(
    tool.name,
    `${source.package} in tools/go/${source.module}: ${reasonOf(cause)}`,
    "check the network (modules are fetched on the first build) and the free disk space, then try again",
  );
}
