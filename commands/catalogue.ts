import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { CommanderError } from "commander";
import { checkout } from "../components/engine/checkout";
import { reasonOf } from "../components/model/reasonOf";
import { safeText } from "../components/model/safeText";
import { readRequest } from "./catalogue/request";
import { writeCatalogue } from "./catalogue/writeCatalogue";

/** Text from registries and upstream is among it. */
function say(line: string): void {
  process.stderr.write(`${safeText(line, 2000)}\n`);
}

/** `npm run catalogue -- --stack NAME --out FOLDER`. Exit status 0 written, 1 failed and the site left as it was, 2 usage. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const request = readRequest(argv, checkout);
    const { apps, versions } = await writeCatalogue(request, {
      environment: process.env,
      root: checkout,
      now: new Date(),
      progress: say,
    });
    const page = pathToFileURL(join(request.out, "index.html")).href;
    process.stdout.write(`${apps} apps, ${versions} versions: ${page}\n`);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    for (const line of `no catalogue: ${reasonOf(error)}`.split("\n")) say(line);
    return 1;
  }
}

// Tools that still run, of a check that failed half-way, end with this process.
void main(process.argv.slice(2)).then((status) => process.exit(status));
