import { z } from "zod";
import { fateOf } from "../../components/system/lock";
import { outputOf } from "../../components/system/process";
import { reasonOf } from "../../components/model/reasonOf";
import { withProgress, type Progress } from "../toolchain/progress";
import type { ToolName } from "../toolchain/tool";
import { imageOf } from "../toolchain/tools";
import { mayUseDocker } from "../toolchain/vendorImage";
import { ownerOf } from "./emulators";

/** A Docker Engine whose containers reach this machine. */
export interface Engine {
  /** For DOCKER_HOST; a socket of this machine. */
  readonly host: string;
  /** Its containers can have this machine's own network. Those of Docker Desktop run in a virtual machine with another. */
  readonly sharesNetwork: boolean;
}

/** Label of all that is made in an engine; its value is the name of the sandbox it belongs to. */
export const engineLabel = "multiarch-mirror.sandbox";

const infoSchema = z.object({
  OperatingSystem: z.string().min(1),
  SecurityOptions: z.array(z.string()).nullish(),
});

/**
 * Finds the Docker Engine a registry and builders can run in.
 * @param registry the program whose image it must have, or be able to pull.
 * @returns undefined where there is none or `MIRROR_SANDBOX_DOCKER` is `off`; one that answers but is of no use is told of.
 */
export async function usableEngine(registry: ToolName, progress: Progress): Promise<Engine | undefined> {
  if (!mayUseDocker()) return undefined;
  const asked = await Promise.all([
    outputOf("docker", ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], { limitMs: 10_000 }),
    outputOf("docker", ["info", "--format", "{{json .}}"], { limitMs: 30_000 }),
  ]).catch(() => undefined);
  const info = asked && infoSchema.safeParse(parsed(asked[1])).data;
  if (asked === undefined || info === undefined) return undefined;
  const engine: Engine = {
    host: asked[0].trim(),
    sharesNetwork: process.platform === "linux" && !info.OperatingSystem.startsWith("Docker Desktop"),
  };
  try {
    if (!engine.host.startsWith("unix://"))
      throw new Error(`its host is ${JSON.stringify(engine.host)}, which is not a socket of this machine`);
    if (info.SecurityOptions?.some((option) => option.startsWith("name=rootless")) === true)
      throw new Error("it runs without root, and its containers cannot have this machine's network");
    await havingImage(engine, registry, progress);
  } catch (error) {
    progress(`doing without Docker: ${reasonOf(error)}`);
    return undefined;
  }
  return engine;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Runs a command of the engine's client. @returns what it printed. @throws ProcessError with what it said. */
export function docker({ host }: Pick<Engine, "host">, args: readonly string[], limitMs = 60_000): Promise<string> {
  return outputOf("docker", ["--host", host, ...args], { limitMs });
}

/** Pulls the image of a program unless it is there. @returns its reference. @throws Error with the engine's words. */
export async function havingImage(engine: Engine, name: ToolName, progress: Progress): Promise<string> {
  const image = imageOf(name);
  if (image === undefined) throw new Error(`there is no image of ${name}`);
  const there = await docker(engine, ["image", "inspect", "--format", "{{.Id}}", image]).catch(() => undefined);
  if (there === undefined)
    await withProgress(progress, `pulling ${image}`, () => docker(engine, ["pull", "--quiet", image], 600_000));
  return image;
}

/** Names of sandboxes that have left something in an engine: they were killed together with all that cleans up after them. */
export async function staleInstances(engine: Engine): Promise<readonly string[]> {
  const format = `{{.Label "${engineLabel}"}}`;
  const list = await docker(engine, ["ps", "--all", "--filter", `label=${engineLabel}`, "--format", format]);
  const instances = [...new Set(list.split("\n"))].filter(Boolean);
  return instances.filter((instance) => fateOf(ownerOf(instance)) === "dead");
}
