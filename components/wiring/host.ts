import type { HostedEdges } from "../discover/upstreamEdges";
import type { StackState } from "../probe/stackState";

/**
 * Who runs the program, Pulumi or `npm run reconcile` by itself, in the project's folder: all that they tell it, and all they do for
 * it that differs.
 */
export interface Host {
  /** The project's keys of the stack configuration, without the project's name in front: text, or JSON text for lists and maps. */
  readonly stackConfig: Readonly<Record<string, unknown>>;
  /** The environment the run is described in. */
  readonly environment: NodeJS.ProcessEnv;
  /** Nothing is to be changed. */
  readonly dryRun: boolean;
  readonly upstream: HostedEdges;
  /** The stack's name. */
  readonly stack: string;
  /** The outputs the last run of this stack left; none on a first run. Rejects when they cannot be read: that is not "nothing". */
  readonly outputs: () => Promise<Readonly<Record<string, unknown>>>;
  /** The resources the last run of this stack left in its state. Rejects when they cannot be read. */
  readonly state: () => Promise<StackState>;
  /** Makes sure that a repository may be written to; rejects when not. Undefined where nothing is to be changed. */
  readonly mayWrite: ((repository: string) => Promise<void>) | undefined;
  /** Asked about each repository something is to be built for, before it is. Rejects with the reason why that would be in vain. */
  readonly beforeBuild: (repository: string) => Promise<void>;
  /** Tells an operator. */
  readonly warn: (text: string) => Promise<void>;
}
