import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, it } from "vitest";
import { stackConfig } from "../../components/config/configuration";

const projectBefore = process.env["PULUMI_NODEJS_PROJECT"];

describe("stackConfig", () => {
  afterEach(() => {
    pulumi.runtime.setAllConfig({});
    if (projectBefore === undefined) delete process.env["PULUMI_NODEJS_PROJECT"];
    else process.env["PULUMI_NODEJS_PROJECT"] = projectBefore;
  });

  it("hands over every key of the project, unknown ones too, and none of other namespaces", async () => {
    await pulumi.runtime.setMocks(
      { call: () => ({}), newResource: () => ({ id: "", state: {} }) },
      "multiarch-mirror",
      "test",
    );
    pulumi.runtime.setAllConfig({
      "multiarch-mirror:keep": "3",
      "multiarch-mirror:unknown": "[1]",
      "multiarch-mirror-other:keep": "4",
      "github:token": "t",
    });
    expect(stackConfig()).toEqual({ keep: "3", unknown: "[1]" });
  });
});
