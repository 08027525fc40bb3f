import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import type { MirrorConfig } from "../../components/config/mirrorConfig";
import { readConfig } from "../../components/config/readConfig";
import type { AppSpecification } from "../../components/model/appSpecification";

const schema = z.object({ config: z.record(z.string(), z.unknown()) });
const prefix = "multiarch-mirror:";

/**
 * Reads the configuration of a stack from its file, without Pulumi.
 * @throws Error when there is no such file, ConfigError with every mistake in it.
 */
export async function readStackFile(
  path: string,
  context: { readonly apps: readonly AppSpecification[]; readonly environment: NodeJS.ProcessEnv },
): Promise<MirrorConfig> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`${JSON.stringify(path)} cannot be read; accepted is the file of a stack, Pulumi.<stack>.yaml`, {
      cause,
    });
  });
  const file = schema.safeParse(parse(text));
  if (!file.success) throw new Error(`${JSON.stringify(path)} has no config, as the file of a stack has`);
  const keys = Object.entries(file.data.config).filter(([key]) => key.startsWith(prefix));
  return readConfig(Object.fromEntries(keys.map(([key, value]) => [key.slice(prefix.length), value])), context);
}
