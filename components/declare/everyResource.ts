import * as pulumi from "@pulumi/pulumi";
import * as dockerBuild from "@pulumi/docker-build";

/**
 * Sees to it that no resource of this stack is ever deleted for real: the provider's delete would remove the manifest from
 * the registry. The engine reads the option from the state, so it has to be there from a resource's first creation.
 */
export function retainEverything(): void {
  pulumi.runtime.registerStackTransformation(({ props, opts }) => ({ props, opts: { ...opts, retainOnDelete: true } }));
}

/**
 * Puts every image and index under one provider that stays what it is in the state, whatever version of the library is installed.
 * To this provider's schema a new version is a change of configuration that replaces the provider and with it all resources of the
 * stack: each published image would be built again. A stack without state begins with the installed version.
 */
export function keepProvider(): void {
  const provider = new dockerBuild.Provider("docker-build", {}, { ignoreChanges: ["version"] });
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) =>
    type.startsWith("docker-build:") ? { props, opts: { ...opts, provider } } : undefined,
  );
}
