import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { RegistryClient } from "../../components/registry/registryClient";
import { FakeClock } from "../support/fakeClock";
import { FakeRegistry, type Seen } from "./fakeRegistry";

// Made anew for each test of the file that imports them.
/** Holds `o/a:1` and `o/b:1`. */
export let registry: FakeRegistry;
export let clock: FakeClock;
/** Docker's configuration, and in front of PATH. */
export let folder: string;
export let client: RegistryClient;

/** A password with what has a meaning to Basic. */
export const secret = "pa:ss-canary";
/** What it is sent as. */
export const basicHeader = `Basic ${Buffer.from(`user:${secret}`).toString("base64")}`;

beforeEach(async () => {
  registry = await new FakeRegistry().start();
  for (const repository of ["o/a", "o/b"]) registry.index(repository, "1", ["amd64", "arm64"]);
  folder = await mkdtemp(join(tmpdir(), "registry-test-"));
  clock = new FakeClock();
  const environment = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env["PATH"]}` };
  client = new RegistryClient({ environment, clock });
});

afterEach(async () => {
  await client.close();
  await registry.stop();
  await rm(folder, { recursive: true });
});

export const probe = (repository: string) => client.probe(`${registry.host}/${repository}:1`);
export const configure = (value: unknown) => writeFile(join(folder, "config.json"), JSON.stringify(value));
export const login = () =>
  configure({ auths: { [registry.host]: { auth: Buffer.from(`user:${secret}`).toString("base64") } } });
export const tokenRequests = (): readonly Seen[] => registry.seen.filter(({ path }) => path.startsWith("/token"));
