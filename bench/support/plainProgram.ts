import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkout } from "../../components/engine/checkout";
import { BenchStack } from "./benchStack";
import type { Workshop } from "./workshop";

/**
 * A stack of a Pulumi program of one TypeScript file, set up as ours: same libraries, same compiler, same settings.
 * @param project the name in its URNs.
 */
export async function plainProgram(workshop: Workshop, project: string, source: string): Promise<BenchStack> {
  const program = mkdtempSync(join(workshop.folder, "plain-"));
  symlinkSync(join(checkout, "node_modules"), join(program, "node_modules"));
  const write = (name: string, text: string): void => writeFileSync(join(program, name), text);
  write("Pulumi.yaml", `name: ${project}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n`);
  const dependencies = { "@pulumi/pulumi": "*" };
  write("package.json", JSON.stringify({ name: project, main: "start.cjs", dependencies }));
  const loader = JSON.stringify(join(checkout, "components/engine/typescript.cjs"));
  write("start.cjs", `module.exports = require(${loader}).load(\`\${__dirname}/index.ts\`);\n`);
  write("index.ts", source);
  const name = basename(program).replace("-", "");
  return BenchStack.create({ name, program, settings: {}, environment: workshop.environment });
}
