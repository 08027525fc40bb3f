/** Property bag of a resource or function, as it travels over gRPC: plain JSON, secrets still in their wrappers. */
export type Properties = { readonly [name: string]: unknown };

/** One property that was refused, and why. */
export interface Refusal {
  readonly property: string;
  readonly reason: string;
}

/** What the engine passes along with a create, update or delete. */
export interface Operation {
  readonly urn: string;
  /** Last part of the URN. */
  readonly name: string;
  /** True while previewing: nothing may be run. */
  readonly preview: boolean;
  /** Limit in milliseconds from `customTimeouts`; undefined means none. */
  readonly timeout: number | undefined;
  /** Shows a line next to the resource while it is worked on. */
  readonly log: (line: string) => void;
}

/**
 * A Pulumi provider reduced to what the stand-ins need. It replaces an official plugin where that cannot be installed,
 * with the same tokens, inputs and outputs. `serve` puts it on the wire.
 */
export interface StandIn {
  /** Semantic version without `v`, the one of the SDK package it stands in for. */
  readonly version: string;
  /** Receives the provider's configuration before anything else, secrets already opened. */
  readonly configure?: (settings: Properties) => void | Promise<void>;
  /** Runs a function by token. Throws to fail, returns refusals for bad arguments. */
  readonly invoke: (token: string, args: Properties) => Promise<Properties | readonly Refusal[]>;
  /** Refuses bad inputs of a resource before anything is created. */
  readonly check: (type: string, inputs: Properties) => readonly Refusal[];
  /** Inputs whose change replaces the resource. */
  readonly replacedBy: readonly string[];
  readonly create: (operation: Operation, inputs: Properties) => Promise<{ id: string; outputs: Properties }>;
  readonly update: (operation: Operation, olds: Properties, news: Properties) => Promise<Properties>;
  readonly delete: (operation: Operation, outputs: Properties) => Promise<void>;
  /** Ends everything that still runs. */
  readonly cancel: () => void;
}
