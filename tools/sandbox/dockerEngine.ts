import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
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

/**
 * Starts a Docker Engine beside any other of this machine: nothing of it lies outside of `folder`, and it touches no network, so its
 * containers have this machine's (`network=host`) or none. As with a builder, all it runs ends with it, in whatever way it ends.
 * @param folder for its data and sockets, whose paths have to be short.
 * @throws Error with the end of its log when it is not ready within 60 s.
 */
export async function startDockerEngine(folder: string, environment: NodeJS.ProcessEnv): Promise<DockerEngine> {
  mkdirSync(folder, { recursive: true });
  const host = `unix://${join(folder, "docker.sock")}`;
  const config = join(folder, "daemon.json");
  const runtime = join(folder, "runc.sh");
  writeFileSync(runtime, runtimeScript, { mode: 0o755 });
  const settings = mayAll() ? {} : { runtimes: { modest: { path: runtime } }, "default-runtime": "modest" };
  // Without a file of its own it reads that of this machine's engine.
  writeFileSync(config, JSON.stringify(settings));
  const daemon = [
    ...["dockerd", "--config-file", config, "--host", host, "--pidfile", join(folder, "docker.pid")],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    ...["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
  ];
  const child = Child.start({
    name: "Docker Engine",
    command: "unshare",
    args: ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", ...daemon],
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
    },
  };
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
