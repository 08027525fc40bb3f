import type { FaultRule } from "../../../tools/sandbox/faultRule";

/** A rule by which the registry answers reads of manifests with a status and an error code of the distribution specification. */
export function refusal(status: number, code: string, more: Partial<FaultRule> = {}): FaultRule {
  return {
    part: "registry",
    method: "GET|HEAD",
    path: "/manifests/",
    status,
    body: { errors: [{ code, message: "as the test wants it" }] },
    ...more,
  };
}
