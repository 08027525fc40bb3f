import type { Digest } from "../model/digest";
import type { Platform } from "../model/platform";
import type { ImageSubject, Inspection } from "./inspectImage";
import { runSmoke, type SmokeCommand, type SmokeResult } from "./smokeRun";
import { reasonOf } from "../model/reasonOf";

/** One finished image of one platform, and what it must satisfy before its version gets a tag. */
export interface CheckRequest extends ImageSubject {
  /** Looks at what the image holds. */
  readonly inspect: (subject: ImageSubject) => Promise<Inspection>;
  readonly smoke?: SmokeCommand;
  /** Folder the image is in as an OCI layout; undefined: it is in its registry. */
  readonly layout?: string;
  /** Name of the builder the smoke command runs on; default: the current one. */
  readonly builder?: string;
  /** Environment of the builder's client: PATH, BUILDX_CONFIG, DOCKER_CONFIG, … */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

/** What a passed check looked at. */
export interface CheckReport {
  /** Executable files whose first bytes were judged. */
  readonly checkedFiles: number;
  /** Layer bytes fetched, as stored. */
  readonly bytesRead: number;
  readonly milliseconds: number;
  readonly smoke?: SmokeResult;
}

/**
 * Checks a finished image: its configuration names the platform; every executable file of its own layers, as the final image shows
 * them, is for that platform; what it starts exists; the file to compare is identical; the smoke command answers as expected.
 * Reads the registry only; the smoke command runs last, when all else is right.
 * @throws CheckError with every problem found, also when the image cannot be read or the builder does not answer.
 */
export async function checkImage(request: CheckRequest): Promise<CheckReport> {
  const start = performance.now();
  try {
    const { problems, ...figures } = await request.inspect(subjectOf(request));
    if (problems.length > 0) throw new CheckError(request, problems);
    const { smoke } = request;
    const result = smoke && (await runSmoke({ ...request, smoke }));
    const milliseconds = Math.round(performance.now() - start);
    return { ...figures, milliseconds, ...(result && { smoke: result }) };
  } catch (error) {
    if (error instanceof CheckError) throw error;
    throw new CheckError(request, [reasonOf(error)], { cause: error });
  }
}

/** What of a request is plain data. */
function subjectOf({ repository, digest, platform, baseLayers, foreign, identical }: CheckRequest): ImageSubject {
  return {
    repository,
    digest,
    platform,
    ...(baseLayers && { baseLayers }),
    ...(foreign && { foreign }),
    ...(identical && { identical }),
  };
}

/** How many problems one message lists; the rest is counted. */
const listed = 10;

/**
 * A finished image failed its checks, or could not be checked, and must not get a tag.
 * The message begins with the platform and names each problem, then the image by digest; paths and texts out of the image are escaped.
 */
export class CheckError extends Error {
  override readonly name = "CheckError";
  readonly problems: readonly string[];

  constructor(
    image: { readonly repository: string; readonly digest: Digest; readonly platform: Platform },
    problems: readonly string[],
    options?: ErrorOptions,
  ) {
    const rest = problems.length > listed ? [`and ${problems.length - listed} more`] : [];
    const told = [...problems.slice(0, listed), ...rest].join("; ");
    super(`${image.platform}: ${told} (the image is ${image.repository}@${image.digest})`, options);
    this.problems = problems;
  }
}
