import { describe, expect, it } from "vitest";
import type { Configuration } from "../components/config/configuration";
import { unableToSign } from "../look";
import { appPlan, planned, whole } from "./declare/plans";

describe("a machine without an identity to sign with", () => {
  const told = (
    mode: string,
    phase: string,
    environment: NodeJS.ProcessEnv = {},
    plans = [appPlan({ versions: [planned()] })],
  ) => {
    const config = { run: { phase }, attest: { signing: { mode } } } as unknown as Configuration;
    return unableToSign(config, plans, environment);
  };

  it("is told of it before anything is built", () => {
    expect(told("keyless", "all")).toContain("needs an OIDC identity token and this machine has none");
    expect(told("keyless", "publish")).toBeDefined();
  });

  it("hears nothing of it where it signs with a key or not at all, only builds, has one, or has nothing to sign", () => {
    const token = { SIGSTORE_ID_TOKEN: "x" };
    const complete = [appPlan({ versions: [planned({ plan: whole(`sha256:${"1".repeat(64)}`, {}) })] })];
    expect([
      told("key", "all"),
      told("off", "all"),
      told("keyless", "build"),
      told("keyless", "all", token),
      told("keyless", "all", { GITHUB_ACTIONS: "true" }),
      told("keyless", "all", {}, complete),
    ]).toEqual(Array(6).fill(undefined));
  });
});
