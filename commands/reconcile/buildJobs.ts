import { type Platform, platformSlug } from "../../components/model/platform";

/** One job of a build matrix. All values are text, for the matrix of a workflow. */
export interface BuildJob {
  /** Name of the job and of what it hands over. */
  readonly name: string;
  /** Comma-separated, as `--platforms` takes it. */
  readonly platforms: string;
  readonly runner: string;
  /** Platforms the runner has to emulate, comma-separated; empty: none. */
  readonly emulated: string;
}

const amd64 = "ubuntu-24.04";
const arm64 = "ubuntu-24.04-arm";

/** GitHub's runner with the platform's own processor. */
function nativeRunner(platform: Platform): string | undefined {
  if (/^linux\/(amd64(\/v[123])?|386)$/.test(platform)) return amd64;
  return /^linux\/arm64(\/v8)?$/.test(platform) ? arm64 : undefined;
}

/**
 * The jobs that build for the platforms: one per platform, on a native runner where there is one, emulated elsewhere.
 * @param emulate one job for all of them instead.
 */
export function buildJobs(platforms: readonly Platform[], emulate: boolean): readonly BuildJob[] {
  if (!emulate) return platforms.map((platform) => job(platformSlug(platform), [platform], nativeRunner(platform)));
  return platforms.length === 0 ? [] : [job("emulated", platforms, amd64)];
}

function job(name: string, platforms: readonly Platform[], runner = amd64): BuildJob {
  const emulated = platforms.filter((platform) => nativeRunner(platform) !== runner);
  return { name, platforms: platforms.join(","), runner, emulated: emulated.join(",") };
}
