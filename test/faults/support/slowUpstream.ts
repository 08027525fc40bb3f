import type { MirrorUnderTest } from "../../e2e/support/mirrorUnderTest";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "../../e2e/support/tinyUpstream";

/**
 * An app whose build fetches a file, so that a fault rule on the file server decides how long it takes.
 * @returns the files in `apps/`, as a {@link MirrorUnderTest} wants them.
 */
export async function slowUpstream(
  sandbox: Sandbox,
  app: string,
  versions: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const file = sandbox.putFile(slowFile, "slow");
  const dockerfile = `${tinyDockerfile}ADD ${file} /slow\n`;
  await tinyUpstream(
    sandbox,
    app,
    versions.map((version) => ({ version, dockerfile })),
  );
  return { [app]: tinyAppFile(sandbox, app) };
}

/** Holds every build of a {@link slowUpstream} back. */
export function holdBuilds(mirror: MirrorUnderTest, milliseconds: number): void {
  mirror.sandbox.setRules([{ part: "files", path: slowFile, delayMs: milliseconds }]);
}

const slowFile = "slow.txt";
