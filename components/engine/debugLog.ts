import * as pulumi from "@pulumi/pulumi";

/**
 * Spares the engine the Pulumi library's debug messages: three for each resource, sent one after the other, whether anybody asked
 * for them or not. Where MIRROR_DEBUG is set they are sent, for `pulumi up --debug` to show.
 */
export function skipDebugLog(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment["MIRROR_DEBUG"]) return;
  (pulumi.log as { debug: typeof pulumi.log.debug }).debug = () => Promise.resolve();
}
