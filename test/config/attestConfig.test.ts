import { describe, expect, it } from "vitest";
import { attestConfigSchema } from "../../components/config/attestConfig";

describe("the stack config attest", () => {
  it.each([
    ["nothing", {}, { mode: "keyless" }],
    ["the word keyless", "keyless", { mode: "keyless" }],
    ["the word off", "off", { mode: "off" }],
    ["a key file", { signing: { mode: "key", key: "keys/cosign.key" } }, { mode: "key", key: "keys/cosign.key" }],
    [
      "a key in a variable",
      { signing: { mode: "key", key: "env://COSIGN_PRIVATE_KEY" } },
      { mode: "key", key: "env://COSIGN_PRIVATE_KEY" },
    ],
    [
      "a KMS",
      { signing: { mode: "key", key: "awskms:///alias/mirror" } },
      { mode: "key", key: "awskms:///alias/mirror" },
    ],
  ])("takes %s, with SBOM and provenance on and others' images left alone", (_, value, signing) => {
    expect(attestConfigSchema.parse(value)).toEqual({ signing, sbom: true, provenance: true, adopted: false });
  });

  it.each([
    ["an unknown word", "on", ""],
    ["an unknown key", { sboms: true }, "sboms"],
    ["an unknown mode", { signing: { mode: "pgp" } }, "mode"],
    ["a key without a value", { signing: { mode: "key" } }, "key"],
    ["a key that reads as an option", { signing: { mode: "key", key: "--output-file=/etc/passwd" } }, "key"],
    ["a key to be fetched from somewhere", { signing: { mode: "key", key: "https://example.org/cosign.key" } }, "key"],
    ["a variable that cannot be one", { signing: { mode: "key", key: "env://A B" } }, "key"],
    ["an identity that matches anywhere", { signing: { mode: "keyless", identity: "github.com/me" } }, "identity"],
    ["an identity that is no regular expression", { signing: { mode: "keyless", identity: "^(" } }, "identity"],
    ["a key in keyless mode", { signing: { mode: "keyless", key: "x" } }, "key"],
    ["text for a switch", { sbom: "yes" }, "sbom"],
    ["a path with NUL", { signing: { mode: "keyless", signingConfig: "a\0b" } }, "signingConfig"],
  ])("refuses %s and names it", (_, value, named) => {
    const { success, error } = attestConfigSchema.safeParse(value);
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(named);
  });
});
