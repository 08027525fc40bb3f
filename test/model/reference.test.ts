import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import {
  digestIn,
  familiarName,
  formatReference,
  parseReference,
  referenceParts,
  type Reference,
} from "../../components/model/reference";

const digest: Digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("parseReference", () => {
  it.each<[string, Reference]>([
    ["python", { registry: "docker.io", repository: "library/python" }],
    ["python:3.8", { registry: "docker.io", repository: "library/python", tag: "3.8" }],
    ["outlinewiki/outline-base", { registry: "docker.io", repository: "outlinewiki/outline-base" }],
    ["docker.io/python", { registry: "docker.io", repository: "library/python" }],
    ["index.docker.io/library/python", { registry: "docker.io", repository: "library/python" }],
    ["ghcr.io/a/b/c:v1", { registry: "ghcr.io", repository: "a/b/c", tag: "v1" }],
    ["localhost/a", { registry: "localhost", repository: "a" }],
    ["localhost:5000/a:1", { registry: "localhost:5000", repository: "a", tag: "1" }],
    ["[::1]:5000/a", { registry: "[::1]:5000", repository: "a" }],
    ["HOST/a", { registry: "HOST", repository: "a" }],
    [`a/b@${digest}`, { registry: "docker.io", repository: "a/b", digest }],
    [`r.io/a:t@${digest}`, { registry: "r.io", repository: "a", tag: "t", digest }],
    ["r.io/a__b/c--d/e.f_g", { registry: "r.io", repository: "a__b/c--d/e.f_g" }],
    ["python:5000", { registry: "docker.io", repository: "library/python", tag: "5000" }],
  ])("reads %j", (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  it.each([
    "",
    "/a",
    "a/",
    "r.io/",
    "r.io//a",
    "r.io/A",
    "a:",
    "a:.1",
    "a:-1",
    `a:${"x".repeat(129)}`,
    "a:１.0",
    "r.io/ａ",
    "ｒ.io/a",
    "a b",
    "a\n",
    "a:1\n",
    "r.io/a..b",
    "r.io/a___b",
    "r.io/-a",
    "-r.io/a",
    "r.io:/a",
    "r.io:0/a",
    "r.io:65536/a",
    "r.io/../etc",
    "https://r.io/a",
    "user@r.io/a",
    "a@sha256:1234",
    `a@sha512:${"0".repeat(128)}`,
    `a@${digest}@${digest}`,
    `a@${digest.toUpperCase()}`,
    "a:1$(id)",
    "0".repeat(64),
    `r.io/${"a".repeat(256)}`,
    "a".repeat(248),
  ])("refuses %j and names it", (text) => {
    expect(() => parseReference(text)).toThrow(JSON.stringify(text));
    expect(() => parseReference(text)).toThrow("accepted is");
  });

  it("takes names and tags of the greatest length", () => {
    expect(parseReference(`r.io/${"a".repeat(255)}:${"t".repeat(128)}`).repository).toHaveLength(255);
  });
});

const part = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,5}){0,2}$/);
const reference = fc
  .record(
    {
      registry: fc.constantFrom("docker.io", "ghcr.io", "localhost", "localhost:5000", "127.0.0.1:1", "[::1]:65535"),
      repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      digest: fc.constant(digest),
    },
    { requiredKeys: ["registry", "repository"] },
  )
  .map((value): Reference => value);

describe("referenceParts", () => {
  it.each([
    ["r.io:5000/a/b", { name: "r.io:5000/a/b" }],
    ["r.io:5000/a/b:1.0", { name: "r.io:5000/a/b", tag: "1.0" }],
    [`r.io:5000/a/b:1.0@${digest}`, { name: "r.io:5000/a/b", tag: "1.0", digest }],
    [`docker-image://r.io:5000/a@${digest}`, { name: "docker-image://r.io:5000/a", digest }],
  ])("takes %j apart as it is written", (text, parts) => {
    expect(referenceParts(text)).toEqual(parts);
  });

  it.each(["r.io/a:1", "r.io/a@sha256:1", `r.io/a@${digest}@${digest}`])("finds no digest in %j", (text) => {
    expect(digestIn(text)).toBeUndefined();
  });
});

describe("formatReference", () => {
  it("is undone by parseReference", () => {
    fc.assert(
      fc.property(reference, (value) => {
        expect(parseReference(formatReference(value))).toEqual(value);
      }),
    );
  });
});

describe("familiarName", () => {
  it.each([
    ["docker.io/library/python:3.8", "python:3.8"],
    ["python:latest", "python"],
    ["docker.io/outlinewiki/outline-base", "outlinewiki/outline-base"],
    ["docker.io/library/a/b", "library/a/b"],
    ["ghcr.io/library/python", "ghcr.io/library/python"],
    [`ubuntu:noble@${digest}`, `ubuntu:noble@${digest}`],
    [`ubuntu:latest@${digest}`, `ubuntu:latest@${digest}`],
    ["latest:latest", "latest"],
  ])("shortens %j to %j", (text, short) => {
    expect(familiarName(parseReference(text))).toBe(short);
  });

  it("still names the same thing, but for a lone latest", () => {
    fc.assert(
      fc.property(reference, (value) => {
        // The one name Docker's short form loses: a Docker Hub owner that looks like a host. Docker Hub has none.
        fc.pre(value.registry !== "docker.io" || !/^[^/]*\./.test(value.repository));
        const { tag, ...rest } = value;
        const same = tag === "latest" && value.digest === undefined ? rest : value;
        expect(parseReference(familiarName(value))).toEqual(same);
      }),
    );
  });
});
