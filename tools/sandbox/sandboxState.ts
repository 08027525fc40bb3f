import { existsSync, readFileSync } from "node:fs";
import type { Environment } from "./environment";
import type { SandboxPart } from "./faultRule";
import type { Layout } from "./layout";
import { lockHolder } from "../../components/system/lock";
import { writeWhole } from "../../components/system/placeWhole";
import type { RegistryKind } from "./registry";

/** What is written down about a sandbox, for other processes and for the next start. */
export interface SandboxState {
  /** The supervisor. */
  readonly pid: number;
  readonly registry: RegistryKind;
  readonly ports: Readonly<Record<SandboxPart, number>>;
  readonly builders: readonly string[];
  readonly env: Environment;
}

/** What the folder's last sandbox was, running or not. */
export function readState(layout: Layout): SandboxState | undefined {
  if (!existsSync(layout.stateFile)) return undefined;
  return JSON.parse(readFileSync(layout.stateFile, "utf8")) as SandboxState;
}

/** What the folder's running sandbox is; nothing when none is running. */
export function readRunning(layout: Layout): SandboxState | undefined {
  const holder = lockHolder(layout.lock);
  const state = readState(layout);
  // A sandbox that is only starting has the description of its predecessor.
  return holder !== undefined && state?.pid === holder ? state : undefined;
}

/** Writes the description in one step, so that readers never see half of it. */
export async function writeState(layout: Layout, state: SandboxState): Promise<void> {
  await writeWhole(layout.stateFile, JSON.stringify(state, null, 2));
}
