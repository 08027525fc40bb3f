import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry } from "./fakeRegistry";
import { type KnownAnswer, knownAnswers } from "./knownAnswers";

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

/** A row of the documentation: what a registry says, and what that is taken for. */
function row({ registry, when, reply, means }: KnownAnswer): string {
  const body = String(reply.body ?? "nothing");
  const errors = body.startsWith("{")
    ? (JSON.parse(body) as { errors?: readonly { code?: string }[] }).errors
    : undefined;
  const codes = errors?.flatMap(({ code }) => (code === undefined ? [] : [`\`${code}\``])) ?? [];
  const said =
    codes.length > 0 ? codes.join(", ") : body.startsWith("<") ? "a page" : body === "nothing" ? body : `\`${body}\``;
  const taken = means === "absent" ? "absent" : `unknown (${means})`;
  return `| ${registry} | ${when} | ${reply.status} ${said} | ${taken} |`;
}

it("is what docs/registries.md says, row by row", () => {
  const written = readFileSync("docs/registries.md", "utf8")
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
  const rows = written.slice(written.indexOf("| registry | when | answer | taken for |") + 2);
  expect(rows.slice(0, rows.indexOf(""))).toEqual(knownAnswers.map(row));
});
