import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { CommanderError } from "commander";
import { checkout } from "../components/engine/checkout";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";
import { readRequest } from "./catalogue/request";
import { speaker } from "./reconcile/voice";
import { writeCatalogue } from "./catalogue/writeCatalogue";

/** `npm run catalogue -- --stack NAME --out FOLDER`. Exit status 0 written, 1 failed and the site left as it was, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  const aside = speaker(process.stderr);
  try {
    const request = readRequest(argv, checkout);
    const { apps, versions } = await writeCatalogue(request, {
      environment: process.env,
      root: checkout,
      now: new Date(),
      progress: (line) => aside.text(safeText(line, 2000)),
    });
    const page = pathToFileURL(join(request.out, "index.html")).href;
    speaker().text(`${counted(apps, "app")}, ${counted(versions, "version")}: ${page}`);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    aside.text(`no new catalogue, what was written before stays as it was: ${reasonOf(error)}`);
    return 1;
  }
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

// Tools that still run, of a check that failed half-way, end with this process.
void main(process.argv.slice(2)).then((status) => process.exit(status));
