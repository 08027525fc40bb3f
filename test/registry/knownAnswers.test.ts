import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry } from "./fakeRegistry";
import { knownAnswers } from "./knownAnswers";

describe("what registries answer to the question for a manifest", () => {
  let registry: FakeRegistry;
  let client: RegistryClient;

  beforeEach(async () => {
    registry = await new FakeRegistry().start();
    client = new RegistryClient({ environment: { HOME: "/nonexistent" }, clock: new FakeClock() });
  });

  afterEach(async () => {
    await client.close();
    await registry.stop();
  });

  it.each(knownAnswers)("$registry, when $when: $means", async ({ reply, means }) => {
    registry.answer(/manifests/, reply);
    const probe = await client.probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject(means === "absent" ? { state: "absent" } : { state: "unknown", cause: means });
  });
});
