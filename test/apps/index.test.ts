import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { apps } from "../../apps";

describe("the list of apps", () => {
  it("has every app of the folder, each name once", () => {
    const names = apps.map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      ...["base-outline", "esbuild", "hello-flask", "mattermost", "mostlymatter", "outline"],
    ]);
    expect(readdirSync("apps").filter((file) => file.endsWith(".ts"))).toHaveLength(7);
  });

  it("says of every app what people see in a registry", () => {
    for (const { name, title, description, url } of apps)
      expect({ title, description, url }, name).toEqual({
        title: expect.stringMatching(/\S/) as string,
        description: expect.stringMatching(/\S/) as string,
        url: expect.stringMatching(/^https:\/\//) as string,
      });
  });

  it("names as bases only apps that are in it", () => {
    const bases = apps.flatMap(({ bases = [] }) => bases.map(({ app }) => app));
    expect(bases.filter((base) => !apps.some(({ name }) => name === base))).toEqual([]);
  });

  it("has only tag rules that are anchored at both ends", () => {
    for (const { name, tagRule } of apps) expect(tagRule?.source ?? "^$", name).toMatch(/^\^.*\$$/);
  });
});
