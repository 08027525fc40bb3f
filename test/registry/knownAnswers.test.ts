import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry } from "./fakeRegistry";
import { registryProfiles, type RegistryProfile } from "../../tools/sandbox/registryProfiles";
import { type AttributedAnswer, knownAnswers } from "./knownAnswers";

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

  it.each(knownAnswers)("$registry, when $when: $means", async ({ answer, means }) => {
    const { body, ...rest } = answer;
    registry.answer(/manifests/, { ...rest, ...(body !== undefined && { body: textOf(body) }) });
    const probe = await client.probe(`${registry.host}/o/a:1`);
    expect(probe).toMatchObject(means === "absent" ? { state: "absent" } : { state: "unknown", cause: means });
  });
});

function textOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** A row of the documentation: what a registry says, and what that is taken for. */
function row({ registry, when, answer, means }: AttributedAnswer): string {
  const body = textOf(answer.body ?? "nothing");
  const errors = body.startsWith("{")
    ? (JSON.parse(body) as { errors?: readonly { code?: string }[] }).errors
    : undefined;
  const codes = errors?.flatMap(({ code }) => (code === undefined ? [] : [`\`${code}\``])) ?? [];
  const said =
    codes.length > 0 ? codes.join(", ") : body.startsWith("<") ? "a page" : body === "nothing" ? body : `\`${body}\``;
  const taken = means === "absent" ? "absent" : `unknown (${means})`;
  return `| ${registry} | ${when} | ${answer.status} ${said} | ${taken} |`;
}

/** The rows of a table of docs/registries.md. */
function documented(head: string): readonly string[] {
  const written = readFileSync("docs/registries.md", "utf8")
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
  const rows = written.slice(written.indexOf(head) + 2);
  return rows.slice(0, rows.indexOf(""));
}

it("is what docs/registries.md says, row by row", () => {
  expect(documented("| registry | when | answer | taken for |")).toEqual(knownAnswers.map(row));
});

it("and so is what each says about referrers and tags, under the name the sandbox plays it by", () => {
  const referrers = {
    api: "the API",
    none: "404",
    redirect: "a redirect to a page",
    empty: "an empty list, whatever there is",
  };
  const rows = Object.entries<RegistryProfile>(registryProfiles).map(([name, profile]) => {
    const { registry, setting, immutable, latestMoves, digestAsTag } = profile;
    const named = [registry, ...(setting === undefined ? [] : [setting])].join(", ");
    const code = immutable && /"code":"(\w+)"/.exec(textOf(immutable.body))?.[1];
    const odd = [
      ...(digestAsTag ? ["`sha256-<hex>` names the manifest itself until it is a tag"] : []),
      ...(immutable
        ? [`a tag written again${latestMoves ? ", save `latest`" : ""}: ${immutable.status} \`${code}\``]
        : []),
    ];
    return `| \`${name}\` | ${named} | ${referrers[profile.referrers]} | ${odd.join("; ")} |`;
  });
  expect(documented("| profile | registry | `/referrers/` | odd |")).toEqual(
    rows.map((line) => line.replace(/ +/g, " ")),
  );
});
