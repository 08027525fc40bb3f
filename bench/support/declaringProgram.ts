import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkout } from "../../tools/sandbox/layout";
import { BenchStack } from "./benchStack";
import type { Workshop } from "./workshop";

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly parent?: string;
}

/** Declares what `declared.json` lists, in its order, and does nothing else: plain resources without inputs of their own. */
const program = `import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

class Provider extends pulumi.ProviderResource {
  constructor(name: string) {
    super("docker-build", name, {}, { ignoreChanges: ["version"], retainOnDelete: true });
  }
}
class Component extends pulumi.ComponentResource {}
class Custom extends pulumi.CustomResource {}

const made = new Map<string, pulumi.Resource>();
let provider: Provider | undefined;
for (const { urn, type, custom, parent } of JSON.parse(readFileSync("declared.json", "utf8"))) {
  const name = urn.split("::").at(-1);
  const options = { parent: made.get(parent), retainOnDelete: true, ignoreChanges: ["*"] };
  if (type.startsWith("pulumi:providers:")) made.set(urn, (provider = new Provider(name)));
  else if (custom) made.set(urn, new Custom(type, name, {}, { ...options, provider }));
  // What differs from the state, were it an option, would have Pulumi write the whole state for each.
  else made.set(urn, new Component(type, name, {}, { parent: options.parent, retainOnDelete: true }));
}
`;

/**
 * A stack with the resources of another's state, declared by a program that asks no registry and no upstream: what Pulumi alone
 * needs to learn that nothing changes.
 * @param stateOf the state of a stack with that name, as `pulumi stack export` gives it; it is imported.
 */
export async function declaringProgram(workshop: Workshop, stateOf: (stack: string) => unknown): Promise<BenchStack> {
  const folder = mkdtempSync(join(workshop.folder, "declaring-"));
  const name = basename(folder).replace("-", "");
  const state = stateOf(name);
  const { resources } = (state as { readonly deployment: { readonly resources: readonly StateResource[] } }).deployment;
  const ours = resources.filter(({ type }) =>
    /^(multiarch-mirror|docker-build|pulumi:providers:docker-build)\b/.test(type),
  );
  const declared = ours.map(({ urn, type, custom, parent }) => ({ urn, type, custom, parent }));
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  write("Pulumi.yaml", "name: multiarch-mirror\nruntime: nodejs\n");
  write(
    "package.json",
    JSON.stringify({ name: basename(folder), main: "index.ts", dependencies: { "@pulumi/pulumi": "*" } }),
  );
  const compilerOptions = { target: "es2022", module: "commonjs", moduleResolution: "node10", skipLibCheck: true };
  write("tsconfig.json", JSON.stringify({ compilerOptions, "ts-node": { transpileOnly: true, swc: true } }));
  write("index.ts", program);
  write("declared.json", JSON.stringify(declared));
  const stack = await BenchStack.create({ name, program: folder, settings: {}, environment: workshop.environment });
  await stack.importState(state);
  return stack;
}
