import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DigestCache } from "../../../commands/catalogue/digestCache";
import { findScanner, vulnerabilitiesOf, type Vulnerabilities } from "../../../commands/catalogue/vulnerabilities";

/** What grype 0.121.2 printed of an SBOM, without what is not read. */
const grypeFound = {
  matches: ["Low", "High", "Low"].map((severity, position) => ({
    vulnerability: {
      id: `CVE-2099-000${position}`,
      namespace: "debian:distro:debian:12",
      severity,
      fix: { versions: ["99.0"], state: "fixed" },
    },
    relatedVulnerabilities: [{ id: `CVE-2099-000${position}`, namespace: "nvd:cpe", severity: "Unknown" }],
    artifact: { name: "bash", version: "1.0-1", type: "deb" },
  })),
  source: { type: "image", target: {} },
  distro: { name: "debian", version: "12", idLike: ["debian"] },
  descriptor: {
    name: "grype",
    version: "0.121.2",
    db: {
      status: { schemaVersion: "v6.1.10", from: "by hand", built: "2026-11-01T00:00:00Z", valid: true },
      providers: { debian: { captured: "2026-11-20T00:00:00Z" } },
    },
  },
};
/** As its source has it: nothing found in one kind of package, and something in another. */
const trivyFound = {
  SchemaVersion: 2,
  Results: [
    { Target: "Node.js", Class: "lang-pkgs", Type: "node-pkg" },
    {
      Target: "debian 12",
      Class: "os-pkgs",
      Vulnerabilities: [{ VulnerabilityID: "CVE-2099-0001", Severity: "HIGH" }],
    },
  ],
};
const trivyAbout = { Version: "0.74.0", VulnerabilityDB: { Version: 2, UpdatedAt: "2026-11-02T00:00:00Z" } };

let folder: string;
let told: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vulnerabilities-"));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a scanner on PATH: it does what the shell says. */
function install(name: "grype" | "trivy", script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function installGrype(found: object = grypeFound): void {
  // The real one refuses a database older than five days, and looks for a newer one, unless it is told not to.
  const offline =
    '[ "$GRYPE_DB_AUTO_UPDATE $GRYPE_DB_VALIDATE_AGE $GRYPE_CHECK_FOR_APP_UPDATE" = "false false false" ]';
  install(
    "grype",
    `[ "$*" = version ] && exit\n${offline} && [ "$*" = "sbom:/sbom.json --output json --quiet" ] || { echo refused >&2; exit 1; }
cat <<'END'\n${JSON.stringify(found)}\nEND`,
  );
}

async function look(day: string): Promise<Vulnerabilities | undefined> {
  return vulnerabilitiesOf(
    { checksum: "1", file: "/sbom.json" },
    {
      scanner: await findScanner({ PATH: `${folder}:/usr/bin:/bin` }),
      cache: new DigestCache(join(folder, "cache")),
      now: new Date(`${day}T00:00:00Z`),
      scanFailed: (reason) => told.push(reason),
    },
  );
}

describe("known vulnerabilities", () => {
  it("are counted by grype with the database it has, the worst first, with its date", async () => {
    installGrype();
    const found = await look("2026-11-26");
    expect(found).toEqual({
      ...{ scanner: "grype", scannedAt: "2026-11-26T00:00:00.000Z", database: "2026-11-01T00:00:00Z" },
      counts: { high: 1, low: 2 },
    });
    expect(Object.keys(found?.counts ?? {})).toEqual(["high", "low"]);
    expect(told).toEqual([]);
  });

  it("are counted by trivy where there is no grype", async () => {
    install(
      "trivy",
      `case "$*" in
"--version") ;;
"--version --format json") echo '${JSON.stringify(trivyAbout)}' ;;
"sbom --format json --quiet --skip-db-update --skip-java-db-update --offline-scan /sbom.json")
  [ "$TRIVY_SKIP_VERSION_CHECK $TRIVY_DISABLE_TELEMETRY" = "true true" ] && echo '${JSON.stringify(trivyFound)}' ;;
*) exit 1 ;;
esac`,
    );
    expect(await look("2026-11-26")).toEqual({
      ...{ scanner: "trivy", scannedAt: "2026-11-26T00:00:00.000Z", database: "2026-11-02T00:00:00Z" },
      counts: { high: 1 },
    });
  });

  it("are looked for once a day, and a scan that fails leaves the last result with its date, and says why", async () => {
    installGrype();
    const first = await look("2026-11-26");
    installGrype({ ...grypeFound, matches: [] });
    expect(await look("2026-11-26")).toEqual(first);
    install("grype", '[ "$*" = version ] && exit\necho "no database" >&2; exit 1');
    expect(await look("2026-11-28")).toEqual(first);
    expect(told).toEqual([expect.stringMatching(/^grype counted no vulnerabilities, .*no database$/)]);
    install("grype", '[ "$*" = version ] && exit\necho "<html>"');
    expect(await look("2026-11-28")).toEqual(first);
    installGrype({ ...grypeFound, matches: [] });
    expect(await look("2026-11-28")).toMatchObject({ scannedAt: "2026-11-28T00:00:00.000Z", counts: {} });
  });

  it("are not told where nothing ever counted them; what was counted stays where there is no scanner any more", async () => {
    expect(await look("2026-11-26")).toBeUndefined();
    install("grype", '[ "$*" = version ] && exit\nexit 1');
    expect(await look("2026-11-26")).toBeUndefined();
    installGrype();
    const found = await look("2026-11-26");
    rmSync(join(folder, "grype"));
    expect(await look("2026-12-26")).toEqual(found);
  });
});
