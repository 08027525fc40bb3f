import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkout } from "../../tools/sandbox/layout";
import { BenchStack } from "./benchStack";
import type { Workshop } from "./workshop";

/** The least a TypeScript program for Pulumi can be, set up as ours: same libraries, same compiler, same settings. */
export async function leastProgram(workshop: Workshop): Promise<BenchStack> {
  const program = mkdtempSync(join(workshop.folder, "least-"));
  symlinkSync(join(checkout, "node_modules"), join(program, "node_modules"));
  const write = (name: string, text: string): void => writeFileSync(join(program, name), text);
  write("Pulumi.yaml", "name: least\nruntime: nodejs\n");
  const dependencies = { "@pulumi/pulumi": "*" };
  write("package.json", JSON.stringify({ name: "least", main: "index.ts", dependencies }));
  const compilerOptions = { target: "es2022", module: "commonjs", moduleResolution: "node10", skipLibCheck: true };
  write("tsconfig.json", JSON.stringify({ compilerOptions, "ts-node": { transpileOnly: true, swc: true } }));
  write("index.ts", 'import * as pulumi from "@pulumi/pulumi";\n\nexport const stack = pulumi.getStack();\n');
  const name = basename(program).replace("-", "");
  return BenchStack.create({ name, program, settings: {}, environment: workshop.environment });
}
