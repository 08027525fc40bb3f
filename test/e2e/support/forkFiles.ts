import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { checkout } from "../../../components/engine/checkout";
import type { Settings } from "./mirrorUnderTest";
import { copyProgram } from "./programCopy";

/** What of the checkout a job needs besides the program. */
const parts = [
  "action.yml",
  "commands",
  "tools/run.cjs",
  "tools/toolchain",
  "package-lock.json",
  ".npmrc",
  ".node-version",
  ".github",
];

/** What a {@link smallFork} mirrors. */
export interface ForkContent {
  /** Text of the files in `apps/`, by the name of their export. */
  readonly apps: Readonly<Record<string, string>>;
  /** Configuration by stack. */
  readonly stacks: Readonly<Record<string, Settings>>;
}

/** Writes a fork with these apps and stacks and no others, and without what no job needs. */
export function smallFork({ apps, stacks }: ForkContent): (folder: string) => void {
  return (folder) => {
    copyProgram(folder, apps, { libraries: false });
    copyFiles(folder, parts);
    for (const [stack, settings] of Object.entries(stacks))
      writeFileSync(join(folder, `Pulumi.${stack}.yaml`), stringify({ config: stackConfig(settings) }));
    writeFileSync(join(folder, ".gitignore"), "node_modules/\n");
  };
}

/** The settings of a stack as its file has them. */
export function stackConfig(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`multiarch-mirror:${key}`, value]));
}

/** Copies files of the checkout as they are now, by default all a clone has. */
export function copyFiles(folder: string, paths: readonly string[] = ["."]): void {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...paths], {
    cwd: checkout,
    encoding: "utf8",
  });
  for (const path of new Set(listed.split("\0").filter((name) => name !== ""))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(checkout, path), join(folder, path), { force: true });
  }
}
