import { lookup } from "node:dns/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Connections } from "../../components/registry/connections";
import { lookupPublic, PrivateHosts, refusePrivateHost } from "../../components/registry/privateHosts";
import { RegistryClient } from "../../components/registry/registryClient";
import { RegistryError } from "../../components/registry/registryError";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry } from "./fakeRegistry";

const hosts = (listed: string, ...places: string[]) => new PrivateHosts(places, { MIRROR_PRIVATE_HOSTS: listed });

describe("a host upstream names", () => {
  it.each([
    ...["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1"],
    ...["[fd00::1]", "[fe80::1]", "[::]", "[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a00:1]"],
  ])("is refused when it is %s, without asking anybody", (host) => {
    expect(() => refusePrivateHost(host)).toThrow(RegistryError);
    expect(() => refusePrivateHost(host)).toThrow(/private network; MIRROR_PRIVATE_HOSTS has to name it/);
  });

  it.each(["8.8.8.8", "172.32.0.1", "192.167.1.1", "[2606:4700::1]", "ghcr.io", "10.example.org"])(
    "may be %s",
    (host) => expect(() => refusePrivateHost(host)).not.toThrow(),
  );

  it("is refused when its name leads to such an address, with the address", async () => {
    const asked = (all: boolean) =>
      new Promise<Error | null>((resolve) => lookupPublic("localhost", { all }, (error) => resolve(error)));
    expect((await lookup("localhost")).address).toMatch(/^(127\.|::1)/);
    for (const all of [true, false]) expect((await asked(all))?.message).toMatch(/"localhost" \((127\.0\.0\.1|::1)\)/);
  });
});

describe("requests to registries upstream names", () => {
  let registry: FakeRegistry;
  beforeEach(async () => {
    registry = await new FakeRegistry().start();
  });
  afterEach(() => registry.stop());

  const probe = async (listed: PrivateHosts) => {
    const options = { environment: {}, clock: new FakeClock(), guard: { hosts: listed } };
    const client = new RegistryClient(options);
    const answer = await client.probe(`${registry.host}/o/base:1`);
    await client.close();
    return answer;
  };

  it("reach no private host that nobody configured", async () => {
    registry.image("o/base", "arm64", { tag: "1" });
    expect(await probe(hosts(""))).toMatchObject({
      state: "unknown",
      reason: expect.stringContaining("private network"),
    });
    expect(registry.seen).toEqual([]);
    expect(await probe(hosts("a.example, 127.0.0.1"))).toMatchObject({ state: "present" });
    expect(await probe(hosts("", `${registry.host}/path`))).toMatchObject({ state: "present" });
  });

  it("may be redirected to private hosts by a configured one only", () => {
    const at = (address: string) => new URL(address);
    const guarded = new Connections({}, 1000, { hosts: hosts("registry.corp"), redirectsOnly: true });
    const ways = [
      ["https://files.example/x", undefined, true],
      ["http://10.0.0.1/x", undefined, true],
      ["https://10.0.0.1/x", "https://files.example/x", false],
      ["http://localhost/x", "https://files.example/x", false],
      ["https://10.0.0.1/x", "https://registry.corp/x", true],
      ["https://registry.corp/x", "https://files.example/x", true],
      ["http://localhost:2/x", "http://localhost:1/x", true],
    ] as const;
    for (const [to, from, fine] of ways) {
      const ask = () => guarded.for(at(to), from === undefined ? undefined : at(from));
      if (fine) expect(ask, `${from} ${to}`).not.toThrow();
      else expect(ask, `${from} ${to}`).toThrow(RegistryError);
    }
  });
});
