import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { apps } from "../../apps";
import { appSettings } from "../../components/config/appSettings";
import { readConfig } from "../../components/config/readConfig";

// These hold for any mirror: whoever uses the project changes apps and settings, and adds stacks.
const files = readdirSync(".").filter((file) => /^Pulumi\..+\.yaml$/.test(file));

/** What stands for the variables the sandbox's stack takes from its environment. */
const environment = {
  MIRROR_SANDBOX_REGISTRY: "localhost:5000",
  MIRROR_SANDBOX_GIT: "http://localhost:5001",
  MIRROR_SANDBOX_COSIGN_KEY: "/keys/cosign.key",
  MIRROR_SANDBOX_COSIGN_PUB: "/keys/cosign.pub",
};

function read(file: string) {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const entries = Object.entries(config).map(([key, value]) => [key.replace(/^multiarch-mirror:/, ""), value] as const);
  return readConfig(Object.fromEntries(entries), { apps, environment });
}

describe("the stack files", () => {
  it("are there", () => {
    expect(files).toContain("Pulumi.sandbox.yaml");
  });

  it.each(files)("%s is a configuration without a mistake, for apps there are", (file) => {
    const config = read(file);
    expect(config.apps.size).toBeGreaterThan(0);
    for (const [name] of config.apps) {
      const app = apps.find((candidate) => candidate.name === name);
      expect(app, name).toBeDefined();
      expect(appSettings(config, app!).platforms.length, name).toBeGreaterThan(0);
    }
  });
});
