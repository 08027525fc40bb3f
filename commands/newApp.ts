import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { apps } from "../apps";
import { checkout } from "../components/engine/checkout";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";
import { outputOf } from "../components/system/process";
import { newApp } from "./newApp/newApp";
import { openOutside } from "./newApp/outside";
import { speaker } from "./reconcile/voice";

/** `npm run new-app -- URL`: writes what mirrors a repository. Exit status 0 done, 1 it cannot be, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("new-app")
    .description(
      "Looks at a repository and writes the app's file, its line in apps/index.ts and a test of its versions.",
    )
    .argument("<repository>", "owner/name on GitHub, or the address of a repository anywhere")
    .option("--name <name>", "name of the app and its image; default: the repository's")
    .option("--dry-run", "say what would be written, and write nothing")
    .exitOverride();
  const voice = speaker();
  const say = (line: string): void => voice.text(safeText(line, 2000));
  try {
    program.parse(argv, { from: "user" });
    const [repository = ""] = program.args;
    const outside = openOutside(process.env);
    try {
      await newApp(
        { ...program.opts<{ name?: string; dryRun?: boolean }>(), repository, root: checkout, known: apps, say },
        outside,
        format,
      );
      return 0;
    } finally {
      await outside.close();
    }
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    speaker(process.stderr).text(safeText(reasonOf(error), 2000));
    return 1;
  }
}

/** A checkout without the libraries of development has no formatter, and does without. */
async function format(text: string): Promise<string> {
  const formatter = join(checkout, "node_modules/prettier/bin/prettier.cjs");
  if (!existsSync(formatter)) return text;
  const args = [formatter, "--stdin-filepath", "app.ts"];
  return outputOf(process.execPath, args, { directory: checkout, input: text, limitMs: 60_000 });
}

void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
