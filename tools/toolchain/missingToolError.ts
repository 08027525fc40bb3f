import type { ToolName } from "./tool";

/** A tool that cannot be had on this machine. The message says why and what to do. */
export class MissingToolError extends Error {
  override readonly name = "MissingToolError";

  constructor(
    readonly tool: ToolName,
    reason: string,
    whatToDo: string,
  ) {
    super(`${tool}: ${reason.trim()}; ${whatToDo}`);
  }
}
