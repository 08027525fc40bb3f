import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../../components/engine/checkout";

/** The app files of production, text by export, as they are. */
export function productionApps(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => {
      // One file has two apps: the base is listed like a file of its own.
      if (name === "baseOutline") return [name, `export { baseOutline } from "./outline";\n`];
      return [name, readFileSync(join(checkout, "apps", `${name}.ts`), "utf8")];
    }),
  );
}
