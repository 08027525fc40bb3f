import { availableParallelism } from "node:os";
import { z } from "zod";
import { reasonOf } from "../../components/model/reasonOf";
import { Limiter } from "../../components/system/limiter";
import { outputOf, runProcess } from "../../components/system/process";
import type { DigestCache } from "./digestCache";
import { versionSchema } from "./schema";

const schema = versionSchema.shape.platforms.element.shape.vulnerabilities.unwrap();

/** What a scan of an SBOM found. */
export type Vulnerabilities = z.output<typeof schema>;

/** A scanner that is installed here. It asks nothing of the network: it uses the database it has, however old. */
export interface Scanner {
  readonly name: "grype" | "trivy";
  readonly scan: (file: string) => Promise<Pick<Vulnerabilities, "counts" | "database">>;
}

/** Without these it refuses a database older than five days, which offline is all there is; its date is shown instead. */
const grypeSettings = {
  GRYPE_DB_AUTO_UPDATE: "false",
  GRYPE_DB_VALIDATE_AGE: "false",
  GRYPE_CHECK_FOR_APP_UPDATE: "false",
};
const trivySettings = { TRIVY_SKIP_VERSION_CHECK: "true", TRIVY_DISABLE_TELEMETRY: "true" };

const limitMs = 10 * 60_000;

/** Rows of grype's JSON, and its database. */
const grypeSchema = z.looseObject({
  matches: z.array(z.looseObject({ vulnerability: z.looseObject({ severity: z.string() }) })),
  descriptor: z.looseObject({
    db: z
      .looseObject({ built: z.string().optional(), status: z.looseObject({ built: z.string().optional() }).optional() })
      .optional(),
  }),
});
const trivySchema = z.looseObject({
  Results: z
    .array(z.looseObject({ Vulnerabilities: z.array(z.looseObject({ Severity: z.string() })).nullish() }))
    .nullish(),
});
const trivyVersion = z.looseObject({ VulnerabilityDB: z.looseObject({ UpdatedAt: z.string() }).optional() });

/** The scanner there is: grype, else trivy, else none. Which one runs never decides about an image. */
export async function findScanner(environment: NodeJS.ProcessEnv): Promise<Scanner | undefined> {
  const works = async (name: string, argument: string): Promise<boolean> =>
    runProcess(name, [argument], { environment, limitMs: 30_000 }).then(
      ({ status }) => status === 0,
      () => false,
    );
  if (await works("grype", "version")) return fewAtOnce(grype({ ...environment, ...grypeSettings }));
  if (await works("trivy", "--version")) return fewAtOnce(trivy({ ...environment, ...trivySettings }));
  return undefined;
}

/** Each scan keeps a processor busy, and a good part of the memory. */
function fewAtOnce({ name, scan }: Scanner): Scanner {
  const limiter = new Limiter(availableParallelism());
  return { name, scan: (file) => limiter.run(() => scan(file)) };
}

function grype(environment: NodeJS.ProcessEnv): Scanner {
  return {
    name: "grype",
    scan: async (file) => {
      const output = await outputOf("grype", [`sbom:${file}`, "--output", "json", "--quiet"], { environment, limitMs });
      const { matches, descriptor } = grypeSchema.parse(JSON.parse(output));
      const database = descriptor.db?.status?.built ?? descriptor.db?.built;
      const severities = matches.map(({ vulnerability }) => vulnerability.severity);
      return { counts: counted(severities), ...(database !== undefined && { database }) };
    },
  };
}

function trivy(environment: NodeJS.ProcessEnv): Scanner {
  return {
    name: "trivy",
    scan: async (file) => {
      const how = ["--format", "json", "--quiet", "--skip-db-update", "--skip-java-db-update", "--offline-scan"];
      const output = await outputOf("trivy", ["sbom", ...how, file], { environment, limitMs });
      const { Results } = trivySchema.parse(JSON.parse(output));
      const about = await outputOf("trivy", ["--version", "--format", "json"], { environment, limitMs: 30_000 });
      const database = trivyVersion.parse(JSON.parse(about)).VulnerabilityDB?.UpdatedAt;
      const found = (Results ?? []).flatMap((result) => result.Vulnerabilities ?? []);
      return { counts: counted(found.map(({ Severity }) => Severity)), ...(database !== undefined && { database }) };
    },
  };
}

const worstFirst = ["critical", "high", "medium", "low", "negligible", "unknown"];

function counted(severities: readonly string[]): Record<string, number> {
  const all = severities.map((severity) => severity.toLowerCase());
  const found = new Set([...worstFirst.filter((severity) => all.includes(severity)), ...all]);
  return Object.fromEntries([...found].map((severity) => [severity, all.filter((one) => one === severity).length]));
}

/** A result is as good as its database: after a day the SBOM is scanned again. */
const freshMs = 24 * 3_600_000;

/** What scanning rests on. */
export interface ScanEdges {
  readonly scanner: Scanner | undefined;
  readonly cache: DigestCache;
  readonly now: Date;
  /** Takes why a scan failed. */
  readonly scanFailed: (reason: string) => void;
}

/**
 * Known vulnerabilities of what an SBOM lists; undefined where there is no scanner and never was. A scan that fails leaves the
 * last result, with its date.
 */
export async function vulnerabilitiesOf(
  { checksum, file }: { readonly checksum: string; readonly file: string },
  { scanner, cache, now, scanFailed }: ScanEdges,
): Promise<Vulnerabilities | undefined> {
  const last = await cache.read("vulnerabilities-1", [checksum], schema);
  if (scanner === undefined || (last && now.getTime() - Date.parse(last.scannedAt) < freshMs)) return last;
  try {
    const found = { scanner: scanner.name, scannedAt: now.toISOString(), ...(await scanner.scan(file)) };
    await cache.write("vulnerabilities-1", [checksum], found);
    return found;
  } catch (error) {
    scanFailed(`${scanner.name} counted no vulnerabilities, what it found before stays: ${reasonOf(error)}`);
    return last;
  }
}
