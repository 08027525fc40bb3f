import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry } from "./fakeRegistry";

let registry: FakeRegistry;
let folder: string;
let authority: string;

beforeAll(async () => {
  const root = await generate([{ name: "commonName", value: "Throw-away CA" }], {
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "keyUsage", keyCertSign: true },
    ],
  });
  const leaf = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
    ca: { key: root.private, cert: root.cert },
  });
  registry = await new FakeRegistry({ key: leaf.private, cert: leaf.cert }).start();
  registry.index("o/a", "1", ["amd64"]);
  folder = await mkdtemp(join(tmpdir(), "registry-test-"));
  authority = join(folder, "ca.pem");
  await writeFile(authority, root.cert);
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true });
});

async function probe(environment: NodeJS.ProcessEnv, clock = new FakeClock()) {
  const client = new RegistryClient({ environment: { HOME: folder, ...environment }, clock });
  try {
    return await client.probe(`${registry.host}/o/a:1`);
  } finally {
    await client.close();
  }
}

describe("a registry with a certificate of a private authority", () => {
  it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])("is trusted when %s names it", async (variable) => {
    expect(await probe({ [variable]: authority })).toMatchObject({ state: "present" });
  });

  it("is not trusted otherwise, which is said at once and with advice", async () => {
    const [seen, clock] = [registry.seen.length, new FakeClock()];
    const reason = expect.stringContaining("SSL_CERT_FILE") as string;
    expect(await probe({}, clock)).toMatchObject({ state: "unknown", cause: "network", reason });
    expect(registry.seen).toHaveLength(seen);
    expect(clock.slept).toEqual([]);
  });

  it("is refused at once when the file cannot be read", () => {
    const environment = { SSL_CERT_FILE: join(folder, "none.pem") };
    expect(() => new RegistryClient({ environment })).toThrow("SSL_CERT_FILE must name a file");
  });
});
