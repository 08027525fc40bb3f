import { writeFileSync } from "node:fs";
import { type Builder, type BuilderOptions, registryConfiguration, workerConfiguration } from "./builder";
import { Container } from "./container";
import { docker, engineLabel, type Engine } from "./engine";
import type { Layout } from "./layout";

/** What a builder in an engine needs to know. */
export interface EngineBuilderOptions extends Pick<BuilderOptions, "name" | "platforms" | "registry"> {
  readonly engine: Engine;
  /** Name of the sandbox. */
  readonly instance: string;
  /** Of BuildKit; it brings runc, git and emulators of its own. */
  readonly image: string;
  /** Ports of this machine's `localhost` it uses by that name. */
  readonly ports: readonly number[];
}

/** How a container reaches this machine from another network. */
const thisMachine = "host.docker.internal";

/**
 * Starts BuildKit in an engine. Its cache outlives it as long as the sandbox runs.
 * @throws Error with the end of its log when it is not ready within 60 s.
 */
export async function startEngineBuilder(layout: Layout, options: EngineBuilderOptions): Promise<Builder> {
  const { engine, instance, name, image, platforms, registry, ports } = options;
  const config = layout.in(`builder-${name}.toml`);
  writeFileSync(config, [...workerConfiguration(options), ...registryConfiguration(registry), ""].join("\n"));
  const cache = `mirror-${instance}-${name}`;
  await docker(engine, ["volume", "create", "--label", `${engineLabel}=${instance}`, cache]);
  const network = engine.sharesNetwork ? ["--network=host"] : [`--add-host=${thisMachine}:host-gateway`];
  const container = await Container.start({
    ...{ engine, instance, image, part: `builder-${name}` },
    options: [
      ...["--privileged", ...network, `--volume=${cache}:/var/lib/buildkit`],
      `--volume=${config}:/etc/buildkit/buildkitd.toml:ro`,
    ],
  });
  const answers = (): Promise<boolean> =>
    container.run(["buildctl", "debug", "workers"]).then(
      () => true,
      () => false,
    );
  await container.ready(answers, 60_000);
  if (!engine.sharesNetwork) for (const port of ports) await passOn(container, port);
  return { address: `docker-container://${container.name}`, platforms, stop: () => container.stop() };
}

/** Lets a port of the container's own `localhost` lead to that of this machine, by the netcat of the image's BusyBox. */
async function passOn(container: Container, port: number): Promise<void> {
  const listen = ["nc", "-lk", "-p", String(port), "-e"];
  await container.run([...listen, "nc", thisMachine, String(port)], ["--detach"]);
}
