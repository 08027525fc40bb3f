import { describe, expect, it } from "vitest";
import { attestConfigSchema, textRule } from "../../components/config/attestConfig";

const own = ".github/workflows/mirror.yml";

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
    [
      "an identity with a top-level alternative",
      { signing: { mode: "keyless", identity: "^https://a|b" } },
      "identity",
    ],
    ["an issuer with one", { signing: { mode: "keyless", issuer: "^https://a$|.*" } }, "issuer"],
    ["a workflow that is no file of one", { signing: { mode: "keyless", workflow: "mirror.yml" } }, "workflow"],
    ["a workflow beside an identity", { signing: { mode: "keyless", identity: "^x", workflow: own } }, "workflow"],
    ["a branch's short name", { signing: { mode: "keyless", refs: ["main"] } }, "refs"],
    ["no ref at all", { signing: { mode: "keyless", refs: [] } }, "refs"],
    ["keyless signing without services", { signing: { mode: "keyless", signingConfig: "none" } }, "signingConfig"],
    ["a private Sigstore without its root", { signing: { mode: "keyless", signingConfig: "s" } }, "trustedRoot"],
    ["a key in keyless mode", { signing: { mode: "keyless", key: "x" } }, "key"],
    ["text for a switch", { sbom: "yes" }, "sbom"],
    ["a path with NUL", { signing: { mode: "keyless", signingConfig: "a\0b" } }, "signingConfig"],
  ])("refuses %s and names it", (_, value, named) => {
    const { success, error } = attestConfigSchema.safeParse(value);
    expect(success).toBe(false);
    expect(JSON.stringify(error?.issues)).toContain(named);
  });
});

describe("a subject or issuer", () => {
  it.each([
    ["https://token.actions.githubusercontent.com", { exactly: ["https://token.actions.githubusercontent.com"] }],
    ["http://127.0.0.1:17001", { exactly: ["http://127.0.0.1:17001"] }],
    ["dev@example.org", { exactly: ["dev@example.org"] }],
    ["^https://github\\.com/(acme|other)/", { matching: "^https://github\\.com/(acme|other)/" }],
    ["^https://a/[|]\\|x$", { matching: "^https://a/[|]\\|x$" }],
  ])("is taken as it is written: %s", (value, rule) => {
    expect(textRule(value)).toEqual(rule);
  });

  it.each([
    "",
    "github.com/acme",
    "^a|b",
    "^a$|",
    "^(a)|(b)",
    "^[|]|a",
    "^(",
    "^(?=a)",
    "^(?<!a)b",
    "^(a)\\1",
    "https://a b",
  ])("is refused: %s", (value) => {
    expect(textRule(value)).toBeUndefined();
  });
});
