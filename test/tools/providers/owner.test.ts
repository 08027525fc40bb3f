import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { restApiOptions } from "../../../components/discover/restApi";
import { owner } from "../../../tools/providers/owner";

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** An API that answers as told, by path, and 200 else; with the paths it was asked for. */
async function api(statuses: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/api/v3", "");
    asked.push(path);
    response.writeHead(statuses[path] ?? 200).end('{"login":"robot"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => (server.closeAllConnections(), server.close()));
  const { port } = server.address() as AddressInfo;
  const settings = { baseUrl: `http://127.0.0.1:${port}`, token: "x", maxRetries: 0, retryDelayMs: 0 };
  return { asked, options: restApiOptions(settings, {}) };
}

describe("the owner the github provider works for", () => {
  it.each([
    ["an owner, whoever's token it is", "acme", ["/orgs/acme"], "acme"],
    ["none, but a token", undefined, ["/user", "/orgs/robot"], "robot"],
  ])("with %s is found by these requests", async (_, given, requests, found) => {
    const { asked, options } = await api({ "/orgs/acme": 404, "/orgs/robot": 404 });
    expect(await owner(given, options)).toBe(found);
    expect(asked).toEqual(requests);
  });

  it("is nobody without a token, and nothing is asked", async () => {
    const { asked, options } = await api({});
    expect(await owner(undefined, { ...options, token: undefined })).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it.each([
    [undefined, { "/user": 403 }, "owner cannot be found by token"],
    [undefined, { "/user": 404 }, "owner cannot be found by token"],
    ["acme", { "/orgs/acme": 401 }, 'failed to lookup organization "acme"'],
  ])("cannot be had: %s, %j", async (given, statuses, message) => {
    const { options } = await api(statuses);
    await expect(owner(given, options)).rejects.toThrow(message);
  });
});
