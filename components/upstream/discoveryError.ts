import { RunError } from "@pulumi/pulumi";
import { disarmed, printable } from "./printable";
import { reasonOf } from "../reasonOf";

/** The versions of one app could not be learnt. It concerns that app alone, and never means that there are none. */
export class DiscoveryError extends RunError {
  override readonly name = "DiscoveryError";
  readonly app: string;

  /**
   * @param app name of the app.
   * @param source the repository or URL that was asked.
   * @param cause what went wrong. Its message may hold upstream's own words, so it is made printable and cut.
   */
  constructor(app: string, source: string, cause: unknown) {
    super(`cannot learn the versions of app ${printable(app)} from ${printable(source, 200)}: ${reason(cause)}`);
    this.app = app;
    this.cause = cause;
  }
}

/** The start says what was done, the end what came of it; git's last line is the one that tells. */
function reason(cause: unknown): string {
  const text = reasonOf(cause);
  const cut = text.length > 600 ? `${text.slice(0, 300)} ... ${text.slice(-300)}` : text;
  return disarmed(cut);
}
