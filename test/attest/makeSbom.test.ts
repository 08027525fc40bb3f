import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeSbom } from "../../components/attest/makeSbom";
import type { Platform } from "../../components/model/platform";

const directory = mkdtempSync(join(tmpdir(), "sbom-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const packaged = (id: string, purl?: string): Record<string, unknown> => ({
  SPDXID: `SPDXRef-Package-${id}`,
  name: id,
  ...(purl && {
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  }),
});
const relation = (from: string, type: string, to: string) => ({
  spdxElementId: `SPDXRef-${from}`,
  relationshipType: type,
  relatedSpdxElement: `SPDXRef-${to}`,
});
const document = (packages: readonly object[], more: object = {}) => ({
  spdxVersion: "SPDX-2.3",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "x",
  documentNamespace: "https://example.org/x",
  creationInfo: { created: "2026-01-01T00:00:00Z" },
  packages,
  ...more,
});

/** What syft was last called with. */
let called: readonly string[];

/** What is left of what syft wrote. */
async function made(written: object, platform: Platform = "linux/amd64"): Promise<Record<string, unknown>> {
  const subject = { repository: "ghcr.io/me/app", digest: `sha256:${"1".repeat(64)}`, platform } as const;
  const file = await makeSbom(subject, {
    directory,
    environment: {},
    limitMs: 1000,
    run: (_, argv) => {
      called = argv;
      const path = argv[argv.indexOf("--output") + 1]?.split("=")[1] ?? "";
      writeFileSync(path, JSON.stringify(written));
      return Promise.resolve({ status: 0, stdout: "", stderr: "" });
    },
  });
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
}

describe("an SBOM", () => {
  it("is asked for by digest and architecture, as a configuration may lack the variant, and syft may say what is wrong", async () => {
    await made(document([packaged("a")]), "linux/amd64/v2");
    expect(called.slice(called.indexOf("--platform"))).toEqual([
      ...["--platform", "linux/amd64"],
      `registry:ghcr.io/me/app@sha256:${"1".repeat(64)}`,
    ]);
    expect(called).not.toContain("--quiet");
  });

  it("has the packages and their relationships, and no files", async () => {
    const files = [{ SPDXID: "SPDXRef-File-a", fileName: "/a" }];
    const relationships = [
      relation("DOCUMENT", "DESCRIBES", "Package-a"),
      relation("Package-a", "DEPENDS_ON", "Package-b"),
      relation("Package-a", "CONTAINS", "File-a"),
      relation("File-a", "OTHER", "Package-b"),
    ];
    const first = { ...packaged("a"), hasFiles: ["SPDXRef-File-a"], filesAnalyzed: true, packageVerificationCode: {} };
    const sbom = await made(document([first, packaged("b")], { files, relationships }));
    expect(sbom).not.toHaveProperty("files");
    expect(sbom["relationships"]).toEqual(relationships.slice(0, 2));
    const bare = { externalRefs: [], filesAnalyzed: false };
    expect(sbom["packages"]).toEqual([
      { ...packaged("a"), ...bare },
      { ...packaged("b"), ...bare },
    ]);
  });

  it.each([
    ["linux/amd64", "pkg:deb/debian/libc6@2.36?arch=amd64&distro=debian-12"],
    ["linux/amd64", "pkg:deb/debian/libc6@2.36?arch=i386"],
    ["linux/amd64", "pkg:rpm/fedora/glibc@2?distro=fedora-42&arch=x86_64"],
    ["linux/arm64", "pkg:apk/alpine/musl@1?arch=aarch64"],
    ["linux/arm64", "pkg:deb/debian/tzdata@2026a?arch=all"],
    ["linux/arm/v7", "pkg:deb/debian/libc6@2.36?arch=armhf"],
    ["linux/arm64", "pkg:golang/example.org/amd64@v1.0.0"],
  ] as const)("of %s may name %s", async (platform, purl) => {
    expect(await made(document([packaged("a", purl)]), platform)).toHaveProperty("packages");
  });

  it.each([
    ["linux/arm64", "pkg:deb/debian/libc6@2.36?arch=amd64&distro=debian-12"],
    ["linux/amd64", "pkg:apk/alpine/musl@1?distro=alpine&arch=aarch64"],
    ["linux/arm/v7", "pkg:deb/debian/libc6@2.36?arch=arm64"],
    ["linux/ppc64le", "pkg:rpm/fedora/glibc@2?arch=s390x"],
  ] as const)("of %s is refused when it names %s", async (platform, purl) => {
    await expect(made(document([packaged("x"), packaged("a", purl)]), platform)).rejects.toThrow(
      `the SBOM for ${platform} names ${JSON.stringify(purl)}, of another architecture`,
    );
  });

  it("that no log would take is refused, and what to do is said", async () => {
    const many = Array.from({ length: 3000 }, (_, number) => ({ ...packaged(`p${number}`), comment: "x".repeat(700) }));
    await expect(made(document(many))).rejects.toThrow(
      / bytes for 3000 packages; accepted are 2097152, or attest\.sbom/,
    );
  });

  it("must be an SPDX document with a package", async () => {
    await expect(made(document([]))).rejects.toThrow("syft wrote no SPDX 2.3 document: packages");
  });
});
