import { describe, expect, it } from "vitest";
import { type Challenge, parseChallenge } from "../../components/registry/endpoints";

describe("parseChallenge", () => {
  it.each<[string | undefined, Challenge | undefined]>([
    [undefined, undefined],
    ["", undefined],
    ['Bearer realm="https://a/t"', { scheme: "bearer", realm: "https://a/t" }],
    [
      'bearer REALM="https://a/t", service = "s,\\"x\\"" ,scope="repository:o/a:pull,push"',
      { scheme: "bearer", realm: "https://a/t", service: 's,"x"', scope: "repository:o/a:pull,push" },
    ],
    ["Bearer realm=https://a/t,service=s", { scheme: "bearer", realm: "https://a/t", service: "s" }],
    ['Basic realm="x"', { scheme: "basic" }],
    ["Basic", { scheme: "basic" }],
    ['Basic realm="x", Bearer realm="https://a/t"', { scheme: "bearer", realm: "https://a/t" }],
    ['Negotiate, Basic realm="x"', { scheme: "basic" }],
    ['Negotiate abc==, Basic realm="x"', { scheme: "basic" }],
    ["Bearer", undefined],
    ["Digest nonce=1", undefined],
    ['Bearer realm="unfinished', undefined],
    ["\u0000\u0001", undefined],
  ])("reads %j", (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });
});
