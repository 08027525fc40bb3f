import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DockerCredentials } from "../../components/registry/credentials";
import { wantTokens } from "./tokenServer";
import { basicHeader, configure, folder, login, probe, registry, secret, tokenRequests } from "./dockerLogin";

describe("basic authentication", () => {
  const wantBasic = () =>
    registry.rule(({ authorization }) =>
      authorization === basicHeader ? undefined : { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
    );

  it.each<[string, () => unknown]>([
    ["auth", () => ({ auths: { [registry.host]: { auth: Buffer.from(`user:${secret}\0\0`).toString("base64") } } })],
    ["username and password", () => ({ auths: { [registry.host]: { username: "user", password: secret } } })],
    [
      "an address as key",
      () => ({ auths: { [`https://${registry.host}/v1/`]: { username: "user", password: secret } } }),
    ],
  ])("takes the credentials from auths, written as %s", async (_, value) => {
    wantBasic();
    await configure(value());
    expect(await probe("o/a")).toMatchObject({ state: "present" });
  });

  it("does not send one registry's credentials to another", async () => {
    wantBasic();
    await configure({ auths: { "ghcr.io": { username: "user", password: secret } } });
    expect(await probe("o/a")).toMatchObject({ state: "unknown", cause: "authorisation" });
    expect(registry.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  // As builders find them: docker/cli `GetAuthConfig`, for which BuildKit's `LoadAuthConfig` takes Docker Hub's legacy key.
  it.each([
    ["https://index.docker.io/v1/", true],
    ["index.docker.io", true],
    ["https://index.docker.io/v2/", true],
    ["docker.io", false],
    ["registry-1.docker.io", false],
    ["https://registry-1.docker.io/v2/", false],
  ])("takes Docker Hub's, by whichever of its names, from the key %s: %s", async (key, found) => {
    const credentials = { username: "user", password: secret };
    await configure({ auths: { [key]: credentials } });
    for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io"])
      expect(await new DockerCredentials({ DOCKER_CONFIG: folder }).for(name)).toEqual(found ? credentials : undefined);
    expect(await new DockerCredentials({ DOCKER_CONFIG: folder }).for("ghcr.io")).toBeUndefined();
  });

  it.each<[string, () => unknown]>([
    ["null", () => null],
    ["null for auths", () => ({ auths: null, credHelpers: null, credsStore: null })],
    ["null for an entry", () => ({ auths: { other: null, [registry.host]: null } })],
    ["null for what an entry holds", () => ({ auths: { [registry.host]: { auth: null, username: null } } })],
    ["null for a helper", () => ({ credHelpers: { [registry.host]: null } })],
    ["empty strings", () => ({ credsStore: "", auths: { [registry.host]: { auth: "" } } })],
  ])("has none where the configuration holds %s", async (_, value) => {
    await configure(value());
    expect(await new DockerCredentials({ DOCKER_CONFIG: folder }).for(registry.host)).toBeUndefined();
  });

  it("has none where the configuration is an empty file, as Docker reads it", async () => {
    await writeFile(join(folder, "config.json"), "\n");
    expect(await new DockerCredentials({ DOCKER_CONFIG: folder }).for(registry.host)).toBeUndefined();
  });

  it("takes DOCKER_AUTH_CONFIG before the file, and the file for all else", async () => {
    await configure({ auths: { "a.example": { username: "file", password: "1" }, "b.example": { auth: "Yjpi" } } });
    const given = JSON.stringify({ auths: { "a.example": { auth: "YTph" } } });
    const credentials = new DockerCredentials({ DOCKER_CONFIG: folder, DOCKER_AUTH_CONFIG: given });
    expect(await credentials.for("a.example")).toEqual({ username: "a", password: "a" });
    expect(await credentials.for("b.example")).toEqual({ username: "b", password: "b" });
  });

  it.each([
    "{",
    '{"auths":{"a.example":{"auth":"YTph"}},"credsStore":"one"}',
    '{"auths":{"a.example":{"auth":"YTph","email":"a@a.example"}}}',
    '{"auths":{"a.example":{"auth":"YTph"},"b.example":{"identitytoken":"id"}}}',
    '{"auths":{"a.example":{"username":"a","password":"a"}}}',
    '{"auths":{"a.example":{"auth":"YTph"},"b.example":{"auth":"bm9jb2xvbg=="}}}',
    '{"auths":{"a.example":{"auth":"YTph"},"b.example":{"auth":"OnBhc3M="}}}',
    '{"auths":{"a.example":{"auth":"YTph"},"b.example":{"auth":"not base64"}}}',
    '{"auths":{"a.example":{"auth":"YTph"},"b.example":null}}',
  ])("takes the file where DOCKER_AUTH_CONFIG holds what Docker does not take there: %s", async (given) => {
    await configure({ auths: { "a.example": { username: "file", password: "1" } } });
    const credentials = new DockerCredentials({ DOCKER_CONFIG: folder, DOCKER_AUTH_CONFIG: given });
    expect(await credentials.for("a.example")).toEqual({ username: "file", password: "1" });
  });

  it("reads the configuration again when the credentials were refused", async () => {
    wantBasic();
    await configure({ auths: { [registry.host]: { username: "user", password: "old" } } });
    expect(await probe("o/a")).toMatchObject({ cause: "authorisation" });
    await login();
    expect(await probe("o/a")).toMatchObject({ state: "present" });
  });

  it.each(["{", `{"auths":{"x":{"auth":["${secret}"]}}}`, `${secret}{`])(
    "is unknown for a malformed configuration and does not print it",
    async (body) => {
      wantBasic();
      await writeFile(join(folder, "config.json"), body);
      const result = await probe("o/a");
      expect(result).toMatchObject({
        state: "unknown",
        cause: "authorisation",
        reason: expect.stringContaining("config.json") as string,
      });
      expect(JSON.stringify(result)).not.toContain("canary");
    },
  );

  describe("with a credential helper", () => {
    async function helper(name: string, script: string): Promise<void> {
      const path = join(folder, `docker-credential-${name}`);
      await writeFile(path, `#!/bin/sh\n${script}\n`);
      await chmod(path, 0o755);
    }
    const own = () => ({ DOCKER_CONFIG: folder, PATH: `${folder}:${process.env["PATH"]}` });
    const answering = `read -r server; echo "$1 $server" >> "$DOCKER_CONFIG/asked"; echo '{"Username":"user","Secret":"${secret}"}'`;

    it.each<[string, () => object]>([
      ["named for the registry", () => ({ credHelpers: { [registry.host]: "one" }, credsStore: "none" })],
      ["for all registries", () => ({ credsStore: "one" })],
    ])("asks the one %s, once", async (_, value) => {
      wantBasic();
      await helper("one", answering);
      await configure({ ...value(), auths: { [registry.host]: { username: "user", password: "stale" } } });
      await Promise.all([probe("o/a"), probe("o/b")]);
      expect(await probe("o/a")).toMatchObject({ state: "present" });
      expect(await readFile(join(folder, "asked"), "utf8")).toBe(`get ${registry.host}\n`);
    });

    it("has none when the helper has none, whatever auths hold, which builds do not look at then", async () => {
      await helper("one", "echo credentials not found in native keychain; exit 1");
      const auths = { [registry.host]: { username: "user", password: secret } };
      for (const named of [{ credsStore: "one" }, { credHelpers: { [registry.host]: "one" } }]) {
        await configure({ ...named, auths });
        expect(await new DockerCredentials(own()).for(registry.host)).toBeUndefined();
      }
    });

    it.each([`{"Username":"","Secret":""}`, `{"Username":"u","Secret":""}`, "{}"])(
      "has none when the helper answers %s",
      async (answer) => {
        await helper("one", `echo '${answer}'`);
        await configure({ credsStore: "one", auths: { [registry.host]: { username: "user", password: secret } } });
        expect(await new DockerCredentials(own()).for(registry.host)).toBeUndefined();
      },
    );

    it.each([
      ["fails", "one", `echo ${secret}; exit 3`, /status 3/],
      ["answers nonsense", "one", `echo ${secret}`, /not a JSON object/],
      ["is not installed", "absent", "", /could not be started/],
      ["has a path for a name", "../one", "", /not a credential helper/],
    ])(
      "is unknown (authorisation) when the helper %s, and prints nothing of its output",
      async (_, name, script, reason) => {
        wantBasic();
        await helper("one", script);
        await configure({ credsStore: name });
        const result = await probe("o/a");
        expect(result).toMatchObject({ cause: "authorisation", reason: expect.stringMatching(reason) as string });
        expect(JSON.stringify(result)).not.toContain("canary");
      },
    );

    it("understands the answer that is an identity token", async () => {
      wantTokens(registry);
      await helper("one", `echo '{"Username":"<token>","Secret":"id"}'`);
      await configure({ credsStore: "one" });
      await probe("o/a");
      expect(tokenRequests()[0]).toMatchObject({ method: "POST" });
    });
  });
});
