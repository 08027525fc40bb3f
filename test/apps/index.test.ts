import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { apps } from "../../apps";

describe("the list of apps", () => {
  it("has every app of the folder, each name once", async () => {
    const names = apps.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const file of readdirSync("apps").filter((entry) => entry.endsWith(".ts"))) {
      const exported = (await import(/* @vite-ignore */ resolve("apps", file))) as Readonly<Record<string, unknown>>;
      const own = Object.values(exported).filter((value) => value instanceof Object && "source" in value);
      for (const app of own) expect(apps, file).toContain(app);
    }
  });

  it("says of every app what it is, to people who see it in a registry", () => {
    for (const { name, description, url } of apps) {
      expect(description, name).toMatch(/\S/);
      expect(url ?? "https://", name).toMatch(/^https:\/\//);
    }
  });

  it("names as bases only apps that are in it", () => {
    const bases = apps.flatMap(({ bases = [] }) => bases.map(({ app }) => app));
    expect(bases.filter((base) => !apps.some(({ name }) => name === base))).toEqual([]);
  });

  it("has only tag rules that are anchored at both ends", () => {
    for (const { name, tagRule } of apps) expect(tagRule?.source ?? "^$", name).toMatch(/^\^.*\$$/);
  });
});
