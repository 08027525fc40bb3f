import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchStack } from "./benchStack";
import { plainProgram } from "./plainProgram";
import type { Workshop } from "./workshop";

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom: boolean;
  readonly parent?: string;
}

const listFile = "declared.json";

/** Declares what the list names, in its order, and does nothing else: plain resources without inputs of their own. */
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
for (const { urn, type, custom, parent } of JSON.parse(readFileSync("${listFile}", "utf8"))) {
  const name = urn.split("::").at(-1);
  // What differs from the state, were it an option, would have Pulumi write the whole state for each.
  const options = { parent: made.get(parent), retainOnDelete: true };
  if (type.startsWith("pulumi:providers:")) made.set(urn, (provider = new Provider(name)));
  else if (custom) made.set(urn, new Custom(type, name, {}, { ...options, ignoreChanges: ["*"], provider }));
  else made.set(urn, new Component(type, name, {}, options));
}
`;

/**
 * A stack with the resources of another's state, declared by a program that asks no registry and no upstream: what Pulumi alone
 * needs to learn that nothing changes.
 * @param stateOf the state of a stack with that name, as `pulumi stack export` gives it; it is imported.
 */
export async function declaringProgram(workshop: Workshop, stateOf: (stack: string) => unknown): Promise<BenchStack> {
  const stack = await plainProgram(workshop, "multiarch-mirror", program);
  const state = stateOf(stack.name);
  const { resources } = (state as { readonly deployment: { readonly resources: readonly StateResource[] } }).deployment;
  const ours = resources.filter(({ type }) =>
    /^(multiarch-mirror|docker-build|pulumi:providers:docker-build)\b/.test(type),
  );
  const declared = ours.map(({ urn, type, custom, parent }) => ({ urn, type, custom, parent }));
  writeFileSync(join(stack.program, listFile), JSON.stringify(declared));
  await stack.importState(state);
  return stack;
}
