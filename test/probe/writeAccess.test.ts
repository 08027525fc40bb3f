import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeAccess } from "../../components/probe/writeAccess";
import { RegistryWriter } from "../../components/registry/registryWriter";
import { digestOf, errorBody, FakeRegistry } from "../registry/fakeRegistry";

const environment = { HOME: "/nonexistent" };
const begun = { status: 202, headers: { location: "/v2/o/a/blobs/uploads/7?state=x" } };

let registry: FakeRegistry;

beforeEach(async () => {
  registry = await new FakeRegistry().start();
});

afterEach(() => registry.stop());

describe("whether a run may write to a repository", () => {
  it("is asked once, by an upload that is begun and given up", async () => {
    registry.answer(/^POST /, begun);
    registry.answer(/^DELETE /, { status: 204 });
    const mayWrite = writeAccess(environment);
    await Promise.all([mayWrite(`${registry.host}/o/a`), mayWrite(`${registry.host}/o/a`)]);
    expect(registry.requests).toEqual(["POST /v2/o/a/blobs/uploads/", "DELETE /v2/o/a/blobs/uploads/7?state=x"]);
  });

  it("does not depend on whether uploads can be given up", async () => {
    registry.answer(/^POST /, begun);
    registry.answer(/^DELETE /, { status: 405, ...errorBody("UNSUPPORTED") });
    await expect(writeAccess(environment)(`${registry.host}/o/a`)).resolves.toBeUndefined();
  });

  it.each([
    [403, "DENIED", "permission_denied: write_package", "authorisation"],
    [401, "UNAUTHORIZED", "log in", "authorisation"],
    [404, "NAME_UNKNOWN", "no such repository", "malformed"],
  ])("is refused with the registry's own words: %i %s", async (status, code, message, kind) => {
    registry.answer(/^POST /, { status, ...errorBody(code, message) });
    await expect(writeAccess(environment)(`${registry.host}/o/a`)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(new RegExp(`cannot write to .*/o/a: status ${status}.*${message}`)) as string,
    });
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
