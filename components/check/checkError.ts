import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";

/** How many problems one message lists; the rest is counted. */
const listed = 10;

/**
 * A finished image failed its checks, or could not be checked, and must not get a tag.
 * The message names the image (`repository@digest`), the platform and each problem; paths and texts out of the image are escaped.
 */
export class CheckError extends Error {
  override readonly name = "CheckError";
  readonly problems: readonly string[];

  constructor(
    image: { readonly repository: string; readonly digest: Digest; readonly platform: Platform },
    problems: readonly string[],
    options?: ErrorOptions,
  ) {
    const lines = problems.slice(0, listed).map((problem) => `\n- ${problem}`);
    const rest = problems.length > listed ? `\n- and ${problems.length - listed} more` : "";
    super(`${image.repository}@${image.digest} (${image.platform}) is not tagged:${lines.join("")}${rest}`, options);
    this.problems = problems;
  }
}
