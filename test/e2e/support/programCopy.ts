import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "../../../components/engine/checkout";

/** What of the checkout the program needs when it runs. */
const programParts = [
  "Pulumi.yaml",
  "package.json",
  "tsconfig.json",
  "start.cjs",
  "index.ts",
  "look.ts",
  "lookOnly.ts",
  "apps",
  "components",
  "schemas",
];

/** What its commands need beside that. */
const commandParts = ["commands", "tools/run.cjs", "tools/toolchain"];

/**
 * Copies the program into a folder, as it is in the checkout now, with other apps: a file in `apps/` each, by the name of
 * its export, and the list of them. The checkout itself is never written to.
 */
export function copyProgram(
  folder: string,
  apps: Readonly<Record<string, string>>,
  { libraries = true, commands = false }: { readonly libraries?: boolean; readonly commands?: boolean } = {},
): void {
  const parts = [...programParts, ...(commands ? commandParts : [])];
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...parts], {
    cwd: checkout,
    encoding: "utf8",
  });
  for (const path of new Set(listed.split("\0").filter((name) => name !== ""))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    // A file that git lists may have been deleted in the working copy.
    cpSync(join(checkout, path), join(folder, path), { force: true });
  }
  rmSync(join(folder, "node_modules"), { force: true });
  if (libraries) symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  writeApps(folder, apps);
}

/** Writes the app files of a copy, and lists these and no others. */
export function writeApps(folder: string, apps: Readonly<Record<string, string>>): void {
  const names = Object.keys(apps);
  for (const [name, text] of Object.entries(apps)) writeFileSync(join(folder, "apps", `${name}.ts`), text);
  const imports = names.map((name) => `import { ${name} } from "./${name}";\n`).join("");
  const type = `import type { AppSpecification } from "../components/model/appSpecification";\n`;
  writeFileSync(
    join(folder, "apps", "index.ts"),
    `${type}${imports}\nexport const apps: readonly AppSpecification[] = [${names.join(", ")}];\n`,
  );
}
