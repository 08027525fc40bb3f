import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Child } from "./child";

const run = promisify(execFile);

/** A Docker Engine that is running. */
export interface DockerEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Ends it with its containers. */
  readonly stop: () => Promise<void>;
}

/** Why no engine can be started on this machine; undefined when one can. */
export function whyNoDockerEngine(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "a Docker Engine is started by root on Linux only";
  const needed = ["dockerd", "containerd", "docker", "docker-init", "runc"];
  const lacking = needed.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  if (lacking.length === 0) return undefined;
  return `not on PATH: ${lacking.join(", ")}; Debian has them in the packages docker.io and tini`;
}

/** A network for containers, which plays that of Docker Desktop's virtual machine. One engine of a machine can have an address. */
export interface DesktopNetwork {
  /** Of this machine in it; for containers it is `host.docker.internal`. */
  readonly address: string;
}

/** Interface of an engine's network, with the number of the process it belongs to. */
const bridge = `mirror${process.pid}`;

function belongsToNobody(name: string): boolean {
  const pid = /^mirror(\d+)$/.exec(name)?.[1];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

/**
 * Starts a Docker Engine beside any other of this machine: nothing of it lies outside of `folder`, and it touches no network, so its
 * containers have this machine's (`network=host`) or none. As with a builder, all it runs ends with it, in whatever way it ends.
 * @param folder for its data and sockets, whose paths have to be short.
 * @param desktop lets it call itself Docker Desktop, and gives containers a network from which nothing of this machine's loopback
 *   is reached.
 * @throws Error with the end of its log when it is not ready within 60 s.
 */
export async function startDockerEngine(
  folder: string,
  environment: NodeJS.ProcessEnv,
  desktop?: DesktopNetwork,
): Promise<DockerEngine> {
  mkdirSync(folder, { recursive: true });
  const host = `unix://${join(folder, "docker.sock")}`;
  const daemon = daemonCommand(folder, host, desktop);
  if (desktop) await makeBridge(desktop);
  const release = join(folder, "os-release");
  writeFileSync(release, 'PRETTY_NAME="Docker Desktop"\n');
  const prepare = desktop ? `mount --bind ${release} /etc/os-release && ` : "";
  const child = Child.start({
    name: "Docker Engine",
    command: "unshare",
    args: [
      "--mount",
      "--pid",
      "--fork",
      "--kill-child=SIGKILL",
      "--mount-proc",
      "sh",
      "-c",
      `${prepare}exec "$@"`,
      "sh",
      ...daemon,
    ],
    log: join(folder, "dockerd.log"),
    env: environment,
  });
  await child.ready(
    () =>
      run("docker", ["--host", host, "info"], { timeout: 5_000 }).then(
        () => true,
        () => false,
      ),
    60_000,
    200,
  );
  return {
    host,
    stop: async () => {
      if (child.pid === undefined) return;
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
      await child.stop("SIGTERM", 20_000, children.filter(Boolean).map(Number));
      removeControlGroups();
      if (desktop) await run("ip", ["link", "delete", bridge]);
    },
  };
}

/** Writes what a daemon reads. @returns its command line. */
function daemonCommand(folder: string, host: string, desktop: DesktopNetwork | undefined): readonly string[] {
  const config = join(folder, "daemon.json");
  const runtime = join(folder, "runc.sh");
  writeFileSync(runtime, runtimeScript, { mode: 0o755 });
  const settings = mayAll() ? {} : { runtimes: { modest: { path: runtime } }, "default-runtime": "modest" };
  // Without a file of its own it reads that of this machine's engine.
  writeFileSync(config, JSON.stringify(settings));
  return [
    ...["dockerd", "--config-file", config, "--host", host, "--pidfile", join(folder, "docker.pid")],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    ...[
      `--bridge=${desktop ? bridge : "none"}`,
      "--iptables=false",
      "--ip6tables=false",
      "--ip-forward=false",
      "--ip-masq=false",
    ],
  ];
}

async function makeBridge({ address }: DesktopNetwork): Promise<void> {
  // What a killed process has left would go on having the address.
  for (const name of readdirSync("/sys/class/net"))
    if (belongsToNobody(name)) await run("ip", ["link", "delete", name]);
  await run("ip", ["link", "add", "name", bridge, "type", "bridge"]);
  await run("ip", ["address", "add", `${address}/24`, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
}

/** A privileged container is given every capability the kernel knows, even one this machine itself does not have: some have none to raise limits. */
const runtimeScript = `#!/bin/sh
last=
for word; do
  case $last in
    --bundle) sed -i 's/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE",//g' "$word/config.json" ;;
    --process) sed -i 's/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE",//g' "$word" ;;
  esac
  last=$word
done
exec runc "$@"
`;

function mayAll(): boolean {
  const [, bounds = "0"] = /^CapBnd:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const systemResource = 24n;
  return ((BigInt(`0x${bounds}`) >> systemResource) & 1n) === 1n;
}

/** What buildx makes its containers' groups in, in every hierarchy. Only empty ones can be removed. */
function removeControlGroups(): void {
  const root = "/sys/fs/cgroup";
  for (const hierarchy of ["", ...readdirSync(root)])
    for (const group of ["docker/buildx", "docker"])
      try {
        rmdirSync(join(root, hierarchy, group));
      } catch {
        // There is none, or another engine uses it.
      }
}
