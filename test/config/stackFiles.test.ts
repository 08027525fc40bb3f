import { apps } from "../../apps";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { appSettings } from "../../components/config/appSettings";
import { readConfig } from "../../components/config/readConfig";

function read(file: string) {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const entries = Object.entries(config).map(([key, value]) => [key.replace(/^multiarch-mirror:/, ""), value] as const);
  return readConfig(Object.fromEntries(entries), { apps, environment: {} });
}

describe("the stack files", () => {
  it("prod keeps the last 10 of every app for two platforms on GitHub's registry", () => {
    const config = read("Pulumi.prod.yaml");
    expect(config).toMatchObject({ registry: "ghcr.io", platforms: ["linux/amd64", "linux/arm64"], keep: 10 });
    expect([...config.apps.keys()]).toEqual(["mattermost", "mostlymatter", "outline", "base-outline", "hello-flask"]);
    expect(config.attest.signing.mode).toBe("keyless");
  });

  it("dockerhub keeps the last 3 for three platforms, with settings of its own for some apps", () => {
    const config = read("Pulumi.dockerhub.yaml");
    expect(config).toMatchObject({ registry: "docker.io", keep: 3 });
    expect(config.platforms).toHaveLength(3);
    const mattermost = apps.find(({ name }) => name === "mattermost");
    expect(mattermost && appSettings(config, mattermost)).toMatchObject({ keep: 3, minimumReleaseAgeHours: 24 });
  });
});
