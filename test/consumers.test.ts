import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { predicateTypes } from "../components/model/attestationKind";

const page = readFileSync("docs/consumers.md", "utf8");

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The code blocks of the page in a language. */
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, block = ""]) => block);

const manifests = blocks("yaml")
  .flatMap((block) => parseAllDocuments(block))
  .map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS() as Manifest;
  });

/** Every value of a key, however deep it lies. */
function valuesOf(key: string, node: unknown): readonly unknown[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => (name === key ? [value] : valuesOf(key, value)));
}

const manifest = (kind: string): Manifest => manifests.find((one) => one.kind === kind)!;

describe("the page for consumers", () => {
  it("has manifests of the kinds it speaks of, each with all a manifest needs", () => {
    expect(manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      "policies.kyverno.io/v1 ImageValidatingPolicy",
      "policy.sigstore.dev/v1beta1 ClusterImagePolicy",
      "image.toolkit.fluxcd.io/v1 ImageRepository",
      "image.toolkit.fluxcd.io/v1 ImagePolicy",
      "argocd-image-updater.argoproj.io/v1alpha1 ImageUpdater",
    ]);
    for (const { metadata, spec } of manifests) {
      expect(metadata.name).toMatch(/^[a-z-]+$/);
      expect(Object.keys(spec).length).toBeGreaterThan(0);
    }
  });

  it("has Renovate settings that are JSON", () => {
    expect(blocks("json").map((block) => Object.keys(JSON.parse(block) as object))).toEqual([["packageRules"]]);
  });

  it.each(["ImageValidatingPolicy", "ClusterImagePolicy"])(
    "expects in a %s the signer that its commands expect",
    (kind) => {
      const [, identity] = /--certificate-identity (\S+)/.exec(page) ?? [];
      const [, issuer] = /--certificate-oidc-issuer (\S+)/.exec(page) ?? [];
      expect(identity).toContain("OWNER");
      expect(valuesOf("identities", manifest(kind).spec)).toEqual([[{ issuer, subject: identity }]]);
    },
  );

  it("asks for statements by the types that the mirror attests", () => {
    const asked = [
      ...valuesOf("type", manifest("ImageValidatingPolicy").spec),
      ...valuesOf("predicateType", manifest("ClusterImagePolicy").spec),
    ];
    expect(asked).toHaveLength(3);
    expect(asked.filter((type) => !Object.values(predicateTypes).includes(type as never))).toEqual([]);
  });

  it("names in expressions of a policy what the policy defines", () => {
    const { spec } = manifest("ImageValidatingPolicy");
    const expressions = valuesOf("expression", spec).join(" ");
    for (const list of ["attestors", "attestations"]) {
      const named = [...expressions.matchAll(new RegExp(`\\b${list}\\.(\\w+)`, "g"))].map(([, name]) => ({ name }));
      expect(named.length).toBeGreaterThan(0);
      expect(spec[list]).toMatchObject([...new Map(named.map((one) => [one.name, one])).values()]);
    }
  });
});
