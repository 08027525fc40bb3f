import type { Answer } from "../../tools/sandbox/exchange";
import { type KnownAnswer, registryProfiles, type RegistryProfile } from "../../tools/sandbox/registryProfiles";

/** An answer, and whose it is, as `docs/registries.md` names it. */
export interface AttributedAnswer extends KnownAnswer {
  readonly registry: string;
}

const anybodys: readonly (readonly [when: string, answer: Answer, means: KnownAnswer["means"]])[] = [
  ["the code is in lower case", refusal("manifest_unknown"), "absent"],
  ["the message is null", { status: 404, body: { errors: [{ code: "NAME_UNKNOWN", message: null }] } }, "absent"],
  ["the code is a number", { status: 404, body: { errors: [{ code: 404, message: "" }] } }, "absent"],
  ["the code is the number of a refusal", { status: 404, body: { errors: [{ code: 403, message: "" }] } }, "malformed"],
  ["404 says UNAUTHORIZED", refusal("UNAUTHORIZED"), "malformed"],
  ["404 says denied, in lower case", refusal("denied"), "malformed"],
  ["404 says TOOMANYREQUESTS", refusal("TOOMANYREQUESTS"), "malformed"],
  ["404 says UNSUPPORTED", refusal("UNSUPPORTED"), "malformed"],
  ["one of two codes is DENIED", refusal("NAME_UNKNOWN", "DENIED"), "malformed"],
  ["404 is empty", { status: 404 }, "malformed"],
  ["404 is a page", { status: 404, body: "<html>Not Found</html>" }, "malformed"],
  ["404 is JSON without errors", { status: 404, body: { message: "no such route" } }, "malformed"],
  ["404 lists no error", { status: 404, body: { errors: [] } }, "malformed"],
  ["404 lists what is no error", { status: 404, body: { errors: ["not found"] } }, "malformed"],
  ["200 is a page", { status: 200, body: "<html>Hello</html>", headers: { "content-type": "text/html" } }, "malformed"],
];

function refusal(...codes: readonly string[]): Answer {
  return { status: 404, body: { errors: codes.map((code) => ({ code, message: "" })) } };
}

/** The answers of all registries the sandbox can play, and of none in particular. */
export const knownAnswers: readonly AttributedAnswer[] = [
  ...Object.values<RegistryProfile>(registryProfiles)
    .filter(({ setting }) => setting === undefined)
    .flatMap(answersOf),
  ...anybodys.map(([when, answer, means]) => ({ registry: "any", when, answer, means })),
];

function answersOf({ registry, noManifest, noRepository, others = [] }: RegistryProfile): readonly AttributedAnswer[] {
  return [noManifest, ...(noRepository ? [noRepository] : []), ...others].map((known) => ({ registry, ...known }));
}
