import * as pulumi from "@pulumi/pulumi";

/**
 * Every key the running stack sets for this project, without the project's name in front, as Pulumi hands it over:
 * text, or JSON text for lists and maps. Keys the program does not know are there too, so that they can be refused.
 */
export function stackConfig(): Readonly<Record<string, string>> {
  const { name } = new pulumi.Config();
  const prefix = `${name}:`;
  const entries = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value] as const);
  return Object.fromEntries(entries);
}
