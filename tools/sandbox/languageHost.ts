import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout";
import { programPath, type ToolPaths } from "./toolPaths";
import { shellWord } from "../../components/model/quoting";

/**
 * Puts a launcher in front of the language host that is built from a Go module. That one is years older than the CLI and knows
 * `typescript: false` of Pulumi.yaml only as a flag, which the CLI no longer gives; Pulumi runs it in the project's folder.
 * A language host that came with a CLI needs none.
 * @returns folder to put in front of PATH; undefined when there is no need.
 */
export function writeLanguageHost(layout: Layout, tools: ToolPaths): string | undefined {
  const host = realpathSync(programPath(tools, "pulumi-language-nodejs"));
  if (!host.includes("pulumi-language-nodejs-3.66.0-")) return undefined;
  const folder = layout.in("bin");
  mkdirSync(folder, { recursive: true });
  const lines = [
    "#!/bin/sh",
    "if grep -qs '^ *typescript: false$' Pulumi.yaml; then set -- -typescript=false \"$@\"; fi",
    `exec ${shellWord(host)} "$@"`,
  ];
  writeFileSync(join(folder, "pulumi-language-nodejs"), `${lines.join("\n")}\n`, { mode: 0o755 });
  return folder;
}
