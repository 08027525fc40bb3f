import { setTimeout as sleep } from "node:timers/promises";
import { runProcess } from "../../components/system/process";
import { docker, engineLabel, type Engine } from "./engine";

/** What to run in an engine as a part of the sandbox. */
export interface ContainerOptions {
  readonly engine: Engine;
  /** Name of the sandbox. */
  readonly instance: string;
  /** For messages, and within the container's name. */
  readonly part: string;
  readonly image: string;
  /** Of `docker run`. */
  readonly options: readonly string[];
  /** Of the image's program. */
  readonly args?: readonly string[];
}

/** Between two questions whether a container is ready, in milliseconds. */
const pollMs = 100;

/** A container of the sandbox; it carries its label, by which it is removed when this process ends in whatever way. */
export class Container {
  private constructor(
    private readonly engine: Engine,
    /** Within the engine. */
    readonly name: string,
  ) {}

  static async start({ engine, instance, part, image, options, args = [] }: ContainerOptions): Promise<Container> {
    const name = `mirror-${instance}-${part}`;
    const own = ["--detach", "--pull", "never", "--name", name, "--label", `${engineLabel}=${instance}`];
    await docker(engine, ["run", ...own, ...options, image, ...args]);
    return new Container(engine, name);
  }

  /** Runs a program in it, to its end unless detached. */
  async run(args: readonly string[], how: readonly string[] = []): Promise<void> {
    await docker(this.engine, ["exec", ...how, this.name, ...args]);
  }

  /**
   * Waits until `check` says yes.
   * @throws Error with the end of its log when it ends first or `timeoutMs` pass.
   */
  async ready(check: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await check())) {
      const state = await docker(this.engine, ["inspect", "--format", "{{.State.Status}}", this.name]);
      if (state.trim() === "running" && Date.now() < deadline) await sleep(pollMs);
      else throw new Error(`sandbox: the container ${this.name} is not ready (${state.trim()}); ${await this.log()}`);
    }
  }

  /** Ends and removes it. */
  async stop(): Promise<void> {
    await docker(this.engine, ["rm", "--force", "--volumes", this.name]);
  }

  private async log(): Promise<string> {
    const args = ["--host", this.engine.host, "logs", "--tail", "15", this.name];
    const { stdout, stderr } = await runProcess("docker", args, { limitMs: 10_000 });
    return `the end of its log:\n${stdout}${stderr}`;
  }
}
