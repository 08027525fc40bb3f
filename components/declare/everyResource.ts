import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";

/**
 * What holds for every resource of this stack, whoever declares it; called once, before the first is declared.
 *
 * None is ever deleted for real: the provider's delete would remove the manifest from the registry. The engine reads that option
 * from the state, so it has to be there from a resource's creation; nothing else in the program sets it.
 *
 * All images and indexes are under one provider that stays what it is in the state, whatever version of the library is installed.
 * To this provider's schema a new version is a change of configuration that replaces the provider and with it all resources of the
 * stack: each published image would be built again. A stack without state begins with the installed version.
 */
export function everyResource(): void {
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({ props, opts: { ...opts, retainOnDelete: true } }));
  const provider = new dockerBuild.Provider("docker-build", {}, { ignoreChanges: ["version"] });
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) =>
    type.startsWith("docker-build:") ? { props, opts: { ...opts, provider } } : undefined,
  );
}
