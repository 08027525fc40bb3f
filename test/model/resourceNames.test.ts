import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Platform } from "../../components/model/platform";
import { resourceNames, subjectOf } from "../../components/model/resourceNames";

const arm: Platform = "linux/arm/v7";
const platforms: readonly Platform[] = ["linux/386", arm];
const versions = ["1.0.0", "deadbeef", "00000000"];
const tags = ["latest", "1", "1.0", "sha-deadbeef", "sha-00000000"];

/** Names made of the very words that names of resources are put together with. */
const app = fc
  .array(fc.constantFrom("a", "sha", "on", "deadbeef", "1.0.0"), { minLength: 1, maxLength: 4 })
  .map((words) => words.join("-"));

/** `type name` of everything the apps can have, and what each stands for. */
function everything(apps: readonly string[]): readonly (readonly [name: string, meant: string])[] {
  return apps.flatMap((own) => [
    ...tags.map((tag) => [`Index ${resourceNames.floatingTag(own, tag)}`, `${own} ${tag}`] as const),
    ...versions.flatMap((version) => [
      [`Index ${resourceNames.version(own, version)}`, `${own} ${version}`] as const,
      ...platforms.flatMap((platform) => [
        [`Image ${resourceNames.image(own, version, platform)}`, `${own} ${version} ${platform}`] as const,
        ...apps.map((base) => {
          const name = resourceNames.baseImage(own, version, base, platform);
          return [`Image ${name}`, `${own} ${version} on ${base} ${platform}`] as const;
        }),
      ]),
    ]),
  ]);
}

describe("names of resources", () => {
  it("differ for any two things of one type, whatever apps are called", () => {
    fc.assert(
      fc.property(fc.uniqueArray(app, { minLength: 2, maxLength: 12 }), (apps) => {
        const owners = new Map<string, string>();
        for (const [name, meant] of everything(apps)) {
          expect({ name, meant: owners.get(name) ?? meant }).toEqual({ name, meant });
          owners.set(name, meant);
        }
      }),
    );
  });

  it.each([
    [resourceNames.floatingTag("a", "sha-c0ffee01"), resourceNames.version("a-sha", "c0ffee01")],
    [resourceNames.floatingTag("a", "sha-c0ffee01"), resourceNames.floatingTag("a-sha", "c0ffee01")],
    [resourceNames.baseImage("a", "1.0.0", "deadbeef", arm), resourceNames.image("a-1.0.0-on", "deadbeef", arm)],
    [
      resourceNames.baseImage("a", "1.0.0", "b-2.0.0-on-c", arm),
      resourceNames.baseImage("a-1.0.0-on-b", "2.0.0", "c", arm),
    ],
  ])("tell %s from what another app could be taken for", (one, other) => {
    expect(one).not.toBe(other);
  });

  it("are what states have had in them from the beginning", () => {
    for (const name of ["app", "hello-flask", "base-outline", "on-call", "shared-sha256", "sha.on_on"]) {
      expect(resourceNames.version(name, "1.2.3")).toBe(`${name}-1.2.3`);
      expect(resourceNames.image(name, "1.2.3", arm)).toBe(`${name}-1.2.3-linux-arm-v7`);
      expect(resourceNames.baseImage(name, "1.2.3", "base-outline", arm)).toBe(
        `${name}-1.2.3-on-base-outline-linux-arm-v7`,
      );
      expect(resourceNames.floatingTag(name, "sha-c0ffee01")).toBe(`${name}-sha-c0ffee01`);
    }
  });

  it("tell what they are about, given the names of the apps", () => {
    const apps = ["app", "hello-flask", "hello", "a-sha", "on-call"];
    const about = (name: string) => subjectOf(name, apps);
    for (const app of apps) {
      for (const version of ["1.2.3", "4.6.2-r13", "c0ffee01", "RELEASE.2025-10-15T17-29-55Z"]) {
        expect(about(resourceNames.version(app, version))).toEqual({ app, version });
        expect(about(`${resourceNames.version(app, version)}-attestation`)).toEqual({ app, version });
        expect(about(resourceNames.image(app, version, arm))).toEqual({ app, version, platform: arm });
        expect(about(resourceNames.baseImage(app, version, "base-outline", arm))).toEqual({
          ...{ app, version, platform: arm, base: "base-outline" },
        });
      }
      expect(about(resourceNames.floatingTag(app, "latest"))).toEqual({ app, version: "latest" });
    }
    expect(about("other-1.2.3")).toBeUndefined();
  });
});
