import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { speaksTls, writeAccess } from "../../components/probe/writeAccess";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { digestOf, errorBody, FakeRegistry } from "../registry/fakeRegistry";

const environment = { HOME: "/nonexistent" };
const begun = { status: 202, headers: { location: "/v2/o/a/blobs/uploads/7?state=x" } };

/** As of a registry on this machine that speaks TLS as well. */
const mayWriteTo = () => writeAccess(environment, () => Promise.resolve(true));

let registry: FakeRegistry;

beforeEach(async () => {
  registry = await new FakeRegistry().start();
});

afterEach(() => registry.stop());

describe("whether a run may write to a repository", () => {
  it("is asked once, by an upload that is begun and given up", async () => {
    registry.answer(/^POST /, begun);
    registry.answer(/^DELETE /, { status: 204 });
    const mayWrite = mayWriteTo();
    await Promise.all([mayWrite(`${registry.host}/o/a`), mayWrite(`${registry.host}/o/a`)]);
    expect(registry.requests).toEqual(["POST /v2/o/a/blobs/uploads/", "DELETE /v2/o/a/blobs/uploads/7?state=x"]);
  });

  it("does not depend on whether uploads can be given up", async () => {
    registry.answer(/^POST /, begun);
    registry.answer(/^DELETE /, { status: 405, ...errorBody("UNSUPPORTED") });
    await expect(mayWriteTo()(`${registry.host}/o/a`)).resolves.toBeUndefined();
  });

  it.each([
    [403, "DENIED", "permission_denied: write_package", "authorisation"],
    [401, "UNAUTHORIZED", "log in", "authorisation"],
    [404, "NAME_UNKNOWN", "no such repository", "malformed"],
  ])("is refused with the registry's own words: %i %s", async (status, code, message, kind) => {
    registry.answer(/^POST /, { status, ...errorBody(code, message) });
    await expect(mayWriteTo()(`${registry.host}/o/a`)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(new RegExp(`cannot write to .*/o/a: status ${status}.*${message}`)) as string,
    });
  });
});

it("is refused, and nothing is asked, where builds cannot log in as this run does", async () => {
  const auths = { [registry.host]: { auth: "MDAw", identitytoken: "canary" } };
  const folder = mkdtempSync(join(tmpdir(), "credentials-"));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
  const mayWrite = writeAccess({ DOCKER_CONFIG: folder }, () => Promise.resolve(true));
  const refused = await mayWrite(`${registry.host}/o/a`).catch(String);
  rmSync(folder, { recursive: true });
  expect(refused).toContain(`the credentials of ${registry.host} are an identity token`);
  expect(refused).not.toContain("canary");
  expect(registry.requests).toEqual([]);
});

describe("a registry on this machine", () => {
  it("is refused, and nothing is asked of it, when it speaks plain HTTP only", async () => {
    const refusal = `${registry.host} speaks plain HTTP only, and the index of a version is read and written by HTTPS`;
    await expect(writeAccess(environment)(`${registry.host}/o/a`)).rejects.toThrow(refusal);
    expect(registry.requests).toEqual([]);
  });

  it("is known by its protocol, whoever signed its certificate", async () => {
    const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
      algorithm: "sha256",
    });
    const secure = await new FakeRegistry({ key, cert }).start();
    expect([await speaksTls(secure.host), await speaksTls(registry.host)]).toEqual([true, false]);
    const { host } = secure;
    await secure.stop();
    expect(await speaksTls(host)).toBe(false);
  });
});

it("begins an upload anew that the registry has forgotten", async () => {
  const bytes = Buffer.from("blob");
  registry.answer(/^POST /, begun);
  registry.answer(/^PUT /, { status: 201 });
  registry.answer(/^PUT /, { status: 404, ...errorBody("BLOB_UPLOAD_UNKNOWN") }, 1);
  registry.answer(/^HEAD /, { status: 404 });
  const writer = new RegistryWriter(environment);
  await writer.putBlob(`${registry.host}/o/a`, digestOf(bytes), bytes);
  await writer.close();
  expect(registry.requests.filter((request) => request.startsWith("POST"))).toHaveLength(2);
});
