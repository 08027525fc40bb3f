import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../tools/sandbox/layout";
import { alternate } from "./support/alternate";
import type { Benchmark } from "./support/benchOptions";
import { BenchStack } from "./support/benchStack";
import type { Workshop } from "./support/workshop";

/** Start-up: a preview in which there is nothing to do, by this program without apps and by one that does nothing. */
export const startUp: Benchmark = {
  id: "P7",
  measure: async (workshop, { rounds, progress }) => {
    const ours = await workshop.stack(workshop.program({}), { namespace: "p7", keep: 1 });
    const least = await leastProgram(workshop);
    const preview = async (stack: BenchStack): Promise<number> => (await stack.preview()).seconds;
    // Once each unmeasured: the first run of a copy reads all files from disk.
    await preview(ours);
    await preview(least);
    const times = await alternate({ ours: () => preview(ours), least: () => preview(least) }, rounds * 2, progress);
    return [
      {
        id: "P7",
        work: "`pulumi preview` of an empty stack",
        against: "a program that imports only `@pulumi/pulumi`",
        goal: { atMost: 1.5 },
        ours: times.ours,
        other: times.least,
      },
    ];
  },
};

/** The least a TypeScript program for Pulumi can be, set up as ours: same libraries, same compiler, same settings. */
async function leastProgram(workshop: Workshop): Promise<BenchStack> {
  const program = join(workshop.folder, "least");
  mkdirSync(program);
  symlinkSync(join(checkout, "node_modules"), join(program, "node_modules"));
  const write = (name: string, text: string): void => writeFileSync(join(program, name), text);
  write("Pulumi.yaml", "name: least\nruntime: nodejs\n");
  const dependencies = { "@pulumi/pulumi": "*" };
  write("package.json", JSON.stringify({ name: "least", main: "index.ts", dependencies }));
  const compilerOptions = { target: "es2022", module: "commonjs", moduleResolution: "node10", skipLibCheck: true };
  write("tsconfig.json", JSON.stringify({ compilerOptions, "ts-node": { transpileOnly: true, swc: true } }));
  write("index.ts", 'import * as pulumi from "@pulumi/pulumi";\n\nexport const stack = pulumi.getStack();\n');
  return BenchStack.create({ name: "least", program, settings: {}, environment: workshop.environment });
}
