import { runProcess } from "../system/process";

/** The first words of a buildx command line. */
export interface BuildxCommand {
  readonly command: string;
  readonly arguments: readonly string[];
}

const candidates: readonly BuildxCommand[] = [
  { command: "docker", arguments: ["buildx"] },
  { command: "buildx", arguments: [] },
];

const found = new Map<string, Promise<BuildxCommand>>();

/**
 * How buildx is called here: as Docker's plugin or, without one, standing alone. Found by running it, once per environment.
 * @throws Error saying what was tried when neither answers.
 */
export async function buildxCommand(environment: Readonly<NodeJS.ProcessEnv>): Promise<BuildxCommand> {
  const key = JSON.stringify([environment["PATH"], environment["DOCKER_CONFIG"], environment["HOME"]]);
  const pending = found.get(key) ?? search(environment);
  found.set(key, pending);
  try {
    return await pending;
  } catch (error) {
    found.delete(key);
    throw error;
  }
}

async function search(environment: Readonly<NodeJS.ProcessEnv>): Promise<BuildxCommand> {
  for (const candidate of candidates) {
    if (await answers(candidate, environment)) return candidate;
  }
  throw new Error(
    `neither "docker buildx" nor "buildx" answers on PATH ${JSON.stringify(environment["PATH"] ?? "")}; install Docker's buildx`,
  );
}

async function answers(candidate: BuildxCommand, environment: Readonly<NodeJS.ProcessEnv>): Promise<boolean> {
  try {
    const argv = [...candidate.arguments, "version"];
    return (await runProcess(candidate.command, argv, { environment, limitMs: 20_000 })).status === 0;
  } catch {
    return false;
  }
}
