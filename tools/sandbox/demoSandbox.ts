import { existsSync, rmSync } from "node:fs";
import { stopSupervisor } from "./control";
import { detach } from "./detach";
import type { Engine } from "./engine";
import type { Environment } from "./environment";
import { writeFixtures } from "../fixtures/fixtures";
import { checkout } from "../../components/engine/checkout";
import { Layout } from "./layout";
import { lockHolder } from "../../components/system/lock";
import { ensureStack } from "./pulumiStack";
import type { Sandbox } from "./sandbox";
import { readRunning } from "./sandboxState";
import { startSandbox } from "./startSandbox";

/** A sandbox as the demo uses it. */
export interface DemoSandbox {
  readonly env: Environment;
  readonly stop: () => Promise<void>;
  /** Lets it run on when this process has ended, where it can. */
  readonly letGo?: () => void;
}

/** The demo's registry: it takes seconds to build, and knows everything a registry should. */
export const demoRegistry = "olareg";

/** Stops what an earlier demo left running in a folder and removes the folder. */
export async function clearDemoFolder(folder: string, progress: (line: string) => void): Promise<void> {
  const layout = new Layout(folder);
  const holder = lockHolder(layout.lock);
  if (holder) {
    if (!existsSync(layout.controlSocket)) {
      throw new Error(
        `another demo is running in ${JSON.stringify(folder)} (process ${holder}); wait for it, or use another folder: --dir`,
      );
    }
    progress("stopping the sandbox an earlier demo left running");
    await stopSupervisor(layout);
  }
  rmSync(layout.folder, { recursive: true, force: true });
}

/** Starts what it takes to look what is missing: registry, git server and release API. It ends with this process. */
export async function startServing(
  folder: string,
  engine: Engine | undefined,
  progress: (line: string) => void,
): Promise<DemoSandbox> {
  const where = { dir: folder, ...(engine && { engine }) };
  const sandbox = await startSandbox({ ...where, registry: demoRegistry, onlyServe: true, progress });
  return untilStopped(sandbox, () => writeFixtures(sandbox, progress));
}

/**
 * Starts all of it. It ends with this process, however that ends, unless it is let go.
 * @param keep start it as a process of its own, which can be let go.
 */
export async function startDemoSandbox(
  folder: string,
  keep: boolean,
  engine: Engine | undefined,
  progress: (line: string) => void,
): Promise<DemoSandbox> {
  if (keep) {
    const layout = new Layout(folder);
    const letGo = await detach(
      ["start", "--foreground", "--registry", demoRegistry, "--dir", layout.folder],
      layout,
      progress,
    );
    const env = readRunning(layout)?.env;
    if (!env) throw new Error(`the sandbox in ${JSON.stringify(layout.folder)} ended at once; see its logs`);
    return { env, stop: () => stopSupervisor(layout), letGo };
  }
  const where = { dir: folder, ...(engine && { engine }) };
  const sandbox = await startSandbox({ ...where, registry: demoRegistry, progress });
  return untilStopped(sandbox, async () => {
    await writeFixtures(sandbox, progress);
    await ensureStack(sandbox.env, checkout);
  });
}

async function untilStopped(sandbox: Sandbox, prepare: () => Promise<void>): Promise<DemoSandbox> {
  try {
    await prepare();
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
  return { env: sandbox.env, stop: () => sandbox.stop() };
}
