import { z } from "zod";
import { formatPlatform, type Platform } from "../model/platform";
import { RegistryError } from "./registryError";

/** What an image says about itself and how it runs. Source: OCI image specification, `config.md`. */
export interface ImageConfiguration {
  readonly platform: Platform;
  /** As written, RFC 3339. */
  readonly created?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly user: string;
  readonly workingDirectory: string;
  /** Instructions a build that stands on the image begins with. */
  readonly triggers: readonly string[];
  /** Ports and volumes it declares, as written: `8080/tcp`, `/data`. */
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  /** The steps it was made by, the first one first. */
  readonly history: readonly ImageStep[];
}

/** One step of an image's history. */
interface ImageStep {
  readonly command?: string;
  readonly created?: string;
  /** It made no layer. */
  readonly empty: boolean;
}

/**
 * Media types of image configurations; any other configuration belongs to an artifact that is no image. Docker before 1.11 gave
 * none, and registries name it for what it is to them.
 */
export const imageConfigurationTypes: readonly string[] = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
  "application/octet-stream",
];

const part = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);
const schema = z.object({
  os: part,
  architecture: part,
  variant: part.or(z.literal("")).nullish(),
  created: z.string().nullish(),
  config: z
    .object({
      Labels: z.record(z.string(), z.string()).nullish(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      OnBuild: z.array(z.string()).nullish(),
    })
    .nullish(),
  history: z
    .array(
      z.object({
        created: z.string().nullish(),
        created_by: z.string().nullish(),
        empty_layer: z.boolean().nullish(),
      }),
    )
    .nullish()
    // For people to read; one of an odd form keeps nobody from using the image.
    .catch(null),
});

/**
 * Reads an image configuration.
 * @param what where it is from, for messages.
 * @throws RegistryError (malformed) when it is not one.
 */
export function parseImageConfiguration(what: string, bytes: Buffer): ImageConfiguration {
  const { os, architecture, variant, created, config, history } = parse(what, bytes);
  return {
    platform: formatPlatform({ os, architecture, ...(variant && { variant }) }),
    ...(created && { created }),
    labels: config?.Labels ?? {},
    environment: config?.Env ?? [],
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    user: config?.User ?? "",
    workingDirectory: config?.WorkingDir ?? "",
    ports: Object.keys(config?.ExposedPorts ?? {}),
    volumes: Object.keys(config?.Volumes ?? {}),
    history: (history ?? []).map((step) => ({
      ...(step.created_by && { command: step.created_by }),
      ...(step.created && { created: step.created }),
      empty: step.empty_layer ?? false,
    })),
    triggers: config?.OnBuild ?? [],
  };
}

function parse(what: string, bytes: Buffer): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (cause) {
    throw new RegistryError("malformed", `cannot read ${what}: the answer is not an image configuration`, { cause });
  }
}
