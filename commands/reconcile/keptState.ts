import { z } from "zod";
import { outputOf } from "../../components/system/process";
import type { StateResource } from "../../components/probe/stackState";
import type { PulumiCommand } from "./pulumiCli";

/** What the last run of a stack left in a state that is kept. */
export interface KeptState {
  /** The stack outputs. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly resources: readonly StateResource[];
}

const record = z.record(z.string(), z.unknown());
const exported = z.object({
  deployment: z.object({
    resources: z.array(z.object({ urn: z.string(), type: z.string(), outputs: record.default({}) })).default([]),
  }),
});

const limitMs = 120_000;

/**
 * Reads a stack's state through the Pulumi CLI, without running the program.
 * @returns undefined when the backend has no such stack yet. @throws ProcessError when it cannot be read.
 */
export async function readKeptState(
  stack: string,
  { program, directory, environment }: Pick<PulumiCommand, "program" | "directory" | "environment">,
): Promise<KeptState | undefined> {
  const args = ["stack", "export", "--stack", stack, "--non-interactive", "--color", "never"];
  const text = await outputOf(program, args, { directory, environment, limitMs }).catch((error: unknown) => {
    if (error instanceof Error && /no stack named .* found/.test(error.message)) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { resources } = exported.parse(JSON.parse(text)).deployment;
  const own = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  return { outputs: own?.outputs ?? {}, resources };
}
