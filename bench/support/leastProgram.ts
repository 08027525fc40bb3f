import type { BenchStack } from "./benchStack";
import { plainProgram } from "./plainProgram";
import type { Workshop } from "./workshop";

/** The least a TypeScript program for Pulumi can be. */
export function leastProgram(workshop: Workshop): Promise<BenchStack> {
  const source = 'import * as pulumi from "@pulumi/pulumi";\n\nexport const stack = pulumi.getStack();\n';
  return plainProgram(workshop, "least", source);
}
