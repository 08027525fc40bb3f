import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { pulumiEdges } from "../../components/discover/upstreamEdges";
import { fileTransport } from "../../components/discover/upstreamFiles";
import { RegistryClient } from "../../components/registry/registryClient";

const calls: pulumi.runtime.MockCallArgs[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name }) => {
      throw new Error(`discovery declared a resource: ${name}`);
    },
    call: (call) => {
      calls.push(call);
      if (call.token === "command:local:run") return { stdout: "the list", stderr: "" };
      if (call.token === "github:index/getRestApi:getRestApi")
        return { code: 200, status: "200 OK", headers: "{}", body: "[]" };
      throw new Error(`unexpected call of ${call.token}`);
    },
  });
});

describe("pulumiEdges", () => {
  it("asks the providers with exactly these inputs, once for each question", async () => {
    const edges = pulumiEdges(fileTransport(), new RegistryClient());
    expect(await edges.listRemote("https://example.org/x.git")).toBe("the list");
    expect(await edges.listRemote("https://example.org/x.git")).toBe("the list");
    expect(await edges.restApi("repos/o/r/releases")).toMatchObject({ code: 200, headers: "{}", body: "[]" });
    expect(calls.map(({ token }) => token)).toEqual(["command:local:run", "github:index/getRestApi:getRestApi"]);
    expect(calls[0]?.inputs).toMatchObject({
      command: "https://example.org/x.git",
      environment: { GIT_TERMINAL_PROMPT: "0" },
    });
    expect(calls[0]?.inputs["interpreter"]).toContain("ls-remote");
    expect(calls[1]?.inputs).toEqual({ endpoint: "repos/o/r/releases" });
  });

  // @pulumi/command 4.5.0, an old SDK under a high number, drops `logging`; 1.2.1 hands it over. With that pinned this is a plain `it`.
  it("hands over to the provider that nothing is to be logged", () => {
    expect(calls[0]?.inputs["logging"]).toBe("none");
  });
});
