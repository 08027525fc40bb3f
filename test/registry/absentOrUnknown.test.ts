import { describe, expect, it } from "vitest";
import { unknownProbe, verdictOf } from "../../components/registry/absentOrUnknown";
import { RegistryError } from "../../components/registry/registryError";

const saying = (code: string): string => JSON.stringify({ errors: [{ code, message: "in words" }] });

describe("what an answer says of a manifest", () => {
  it.each([
    [200, "{}", "present"],
    [404, saying("MANIFEST_UNKNOWN"), "absent"],
    [404, saying("DENIED"), "malformed"],
    [404, "", "malformed"],
    [404, "<html>Not Found</html>", "malformed"],
    [401, saying("UNAUTHORIZED"), "authorisation"],
    [403, saying("DENIED"), "authorisation"],
    // A refusal stays one, whatever the body says.
    [403, saying("MANIFEST_UNKNOWN"), "authorisation"],
    [407, "", "authorisation"],
    [429, saying("TOOMANYREQUESTS"), "rate-limited"],
    [500, saying("MANIFEST_UNKNOWN"), "outage"],
    [503, "", "outage"],
    [204, "", "malformed"],
    [302, "", "malformed"],
    [410, saying("MANIFEST_UNKNOWN"), "malformed"],
  ] as const)("of status %i with the body %j: %s", (status, body, verdict) => {
    expect(verdictOf({ status, body: Buffer.from(body) })).toBe(verdict);
  });
});

describe("a question that ended in trouble", () => {
  it("leaves what it was about unknown, with cause and reason", () => {
    const error = new RegistryError("authorisation", "cannot read app:1: status 403", { status: 403 });
    expect(unknownProbe(error)).toEqual({ state: "unknown", cause: "authorisation", reason: error.message });
  });

  it("is no answer of a registry when the program is at fault", () => {
    const mistake = new TypeError("undefined is not a function");
    expect(() => unknownProbe(mistake)).toThrow(mistake);
  });
});
