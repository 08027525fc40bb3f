import { resolve } from "node:path";
import { Command, Option } from "commander";

/** What one `npm run catalogue` is asked to do. Paths are absolute. */
export interface CatalogueRequest {
  readonly stack: string;
  /** The stack's file. */
  readonly configFile: string;
  readonly out: string;
  /** What the last run may have left (`reconcile --result`); that which ended last counts. */
  readonly results: readonly string[];
  /** `reconcile --failures`. */
  readonly failures?: string;
  /** Where the site is published, with a slash at its end. */
  readonly url?: string;
  readonly acceptShrunken: boolean;
}

/** @throws CommanderError for wrong usage and for `--help`. */
export function readRequest(argv: readonly string[], project: string): CatalogueRequest {
  const program = new Command("catalogue")
    .description("Writes a static site, and JSON for machines, about everything the mirror has published.")
    .requiredOption("--stack <name>", "stack, as in Pulumi.<stack>.yaml")
    .option("--out <folder>", "folder of the site; replaced as a whole", "site")
    .option("--config-file <file>", "stack configuration (Pulumi.<stack>.yaml)")
    .option(
      "--result <file>",
      "result of the last run, as `reconcile --result` leaves it; of several that which ended last counts",
      (file: string, files: readonly string[]) => [...files, file],
      [],
    )
    .option("--failures <file>", "record of failed builds, as `reconcile --failures` keeps it")
    .addOption(new Option("--url <url>", "where the site is published: makes addresses in feeds and sitemap.xml whole"))
    .option("--accept-shrunken", "replace a site that has more than the registry has now")
    .exitOverride();
  program.parse(argv, { from: "user" });
  const options = program.opts<{
    readonly stack: string;
    readonly out: string;
    readonly configFile?: string;
    readonly result: readonly string[];
    readonly failures?: string;
    readonly url?: string;
    readonly acceptShrunken?: boolean;
  }>();
  const wrong = (what: string): never => program.error(`error: ${what}`, { exitCode: 2 });
  if (!/^[A-Za-z0-9_.-]+$/.test(options.stack))
    wrong(`--stack: ${JSON.stringify(options.stack)}; accepted are letters, digits and . _ -`);
  if (options.url && !(URL.canParse(options.url) && /^https?:\/\/[^?#]+$/.test(options.url)))
    wrong(`--url: ${JSON.stringify(options.url)}; accepted is an http or https address without query`);
  const file = (path: string | undefined): string | undefined => (path ? resolve(path) : undefined);
  const failures = file(options.failures);
  return {
    stack: options.stack,
    configFile: file(options.configFile) ?? resolve(project, `Pulumi.${options.stack}.yaml`),
    out: resolve(options.out),
    results: options.result.map((path) => resolve(path)),
    ...(failures !== undefined && { failures }),
    ...(options.url && { url: options.url.replace(/\/*$/, "/") }),
    acceptShrunken: options.acceptShrunken ?? false,
  };
}
