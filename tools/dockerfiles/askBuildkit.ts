import path from "node:path";
import { checkout } from "../../components/engine/checkout";
import type { Platform } from "../../components/model/platform";
import { outputOf } from "../../components/system/process";
import { buildFlags } from "../toolchain/goBuild";

/** A Dockerfile and how it is built. */
export interface DockerfileQuestion {
  readonly text: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  readonly targetPlatform: Platform;
  readonly buildPlatform: Platform;
}

/** What BuildKit's own conversion says of a Dockerfile: the images a build pulls, or why there is no such build. */
export type BuildkitAnswer = { readonly images: readonly string[] } | { readonly error: string };

const limitMs = 10 * 60_000;

/** Builds the program of `tools/go/buildkit/pulledImages`, from the sources the toolchain's BuildKit is built from. */
export async function buildPulledImages(folder: string): Promise<string> {
  const program = path.join(folder, "pulledImages");
  await outputOf("go", ["build", ...buildFlags, "-o", program, "./pulledImages"], {
    directory: path.join(checkout, "tools", "go", "buildkit"),
    environment: { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
    limitMs,
  });
  return program;
}

/** Asks BuildKit of Dockerfiles. @param program what {@link buildPulledImages} made. */
export async function askBuildkit(
  program: string,
  questions: readonly DockerfileQuestion[],
): Promise<readonly BuildkitAnswer[]> {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join("");
  const output = await outputOf(program, [], { title: "pulledImages", input, limitMs });
  const answers = output.trimEnd().split("\n").map(read);
  if (answers.length === questions.length) return answers;
  throw new Error(`BuildKit answered ${answers.length} of ${questions.length} questions`);
}

function read(line: string): BuildkitAnswer {
  const { images, error } = JSON.parse(line) as { readonly images: readonly string[] | null; readonly error?: string };
  return error === undefined ? { images: images ?? [] } : { error };
}
