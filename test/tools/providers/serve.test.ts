import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { secret } from "../../../tools/providers/secret";
import { createReleaseApi } from "../../../tools/sandbox/releaseApi";
import { folders } from "../../../tools/toolchain/folders";
import { sdkVersion, standInLauncher, type StandInName } from "../../../tools/toolchain/standInLauncher";

const urn = "urn:pulumi:dev::p::command:local:Command::c";
const launchers = new Map<StandInName, string>();
const started: ChildProcess[] = [];

beforeAll(async () => {
  for (const name of ["command", "github"] as const) {
    launchers.set(name, await standInLauncher(name, folders().standIns));
  }
});

afterEach(() => {
  started.splice(0).forEach((child) => child.kill("SIGKILL"));
});

/** Starts a launcher as the engine does. */
async function start(name: StandInName) {
  return connect(spawn(launchers.get(name) ?? "", ["127.0.0.1:1"], { stdio: ["ignore", "pipe", "inherit"] }));
}

async function connect(child: ChildProcessByStdio<null, Readable, null>) {
  const port = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
  return { child, client: new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) };
}

/** Makes a call and gives its answer as a promise. */
function call<Response>(
  make: (done: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    make((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

const struct = (value: object) => Struct.fromJavaScript(value as Parameters<typeof Struct.fromJavaScript>[0]);

describe("the launched stand-in for command", () => {
  let client: ResourceProviderClient;
  let child: ChildProcess;

  beforeAll(async () => {
    ({ client, child } = await start("command"));
  });

  afterAll(() => child.kill("SIGKILL"));

  it("says the version of the SDK it belongs to", async () => {
    const info = await call<PluginInfo>((done) => client.getPluginInfo(new Empty(), done));
    expect(info.getVersion()).toBe(sdkVersion("command"));
  });

  it("creates a resource, secrets staying secret", async () => {
    const request = new messages.CreateRequest();
    request.setUrn(urn);
    request.setProperties(struct({ create: "echo $P", environment: { P: secret.wrap("hunter2") } }));
    const created = await call<messages.CreateResponse>((done) => client.create(request, done));
    expect(created.getId()).toMatch(/^c[0-9a-f]{8}$/);
    expect(created.getProperties()?.toJavaScript()["stdout"]).toEqual(secret.wrap("hunter2"));
  });

  it("kills a command that outlasts customTimeouts", async () => {
    const request = new messages.CreateRequest();
    request.setUrn(urn);
    request.setTimeout(0.2);
    request.setProperties(struct({ create: "sleep 600" }));
    await expect(call<messages.CreateResponse>((done) => client.create(request, done))).rejects.toThrow(
      "timed out after 200 ms",
    );
  });

  it.each([
    ["nothing", { create: "a" }, { create: "a" }, [], []],
    ["a command", { create: "a" }, { create: "b" }, ["create"], []],
    ["a trigger", { create: "a", triggers: [1] }, { create: "a", triggers: [2] }, ["triggers"], ["triggers"]],
    ["only secrecy", { create: "a" }, { create: secret.wrap("a") }, [], []],
  ])("finds what changes when %s changes", async (_, olds, news, changed, replaces) => {
    const request = new messages.DiffRequest();
    request.setUrn(urn);
    request.setOlds(struct({ ...olds, stdout: "x", stderr: "" }));
    request.setOldInputs(struct(olds));
    request.setNews(struct(news));
    const diff = await call<messages.DiffResponse>((done) => client.diff(request, done));
    expect(diff.getDiffsList()).toEqual(changed);
    expect(diff.getReplacesList()).toEqual(replaces);
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    expect(diff.getChanges()).toBe(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
  });

  it("reports refusals of a function as failures", async () => {
    const request = new messages.InvokeRequest();
    request.setTok("command:local:run");
    request.setArgs(struct({ command: "true", assetPaths: ["*"] }));
    const answer = await call<messages.InvokeResponse>((done) => client.invoke(request, done));
    expect(answer.getFailuresList().map((failure) => failure.getProperty())).toEqual(["assetPaths"]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends at once on %s, with what it runs", async (signal) => {
    const other = await start("command");
    started.push(other.child);
    const pid = await runForever(other.client);
    const ended = new Promise((resolve) => other.child.once("exit", resolve));
    other.child.kill(signal);
    expect(await ended).toBe(0);
    await expect.poll(() => running(pid)).toBe(false);
  });
});

describe("a stand-in whose engine was killed", () => {
  it("ends, with what it runs", async () => {
    const script = '"$0" 127.0.0.1:1 & wait';
    const engine = spawn("/bin/sh", ["-c", script, launchers.get("command") ?? ""], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(engine);
    const { client } = await connect(engine);
    const pid = await runForever(client);
    engine.kill("SIGKILL");
    await expect.poll(() => running(pid)).toBe(false);
  });
});

describe("the launched stand-in for github", () => {
  let api: Server;
  let client: ResourceProviderClient;
  let child: ChildProcess;

  beforeAll(async () => {
    ({ client, child } = await start("github"));
    api = createServer((request, response) => {
      response.end(JSON.stringify({ login: "robot", asked: [request.url, request.headers.authorization] }));
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  });

  afterAll(() => {
    child.kill("SIGKILL");
    api.closeAllConnections();
    api.close();
  });

  it("takes address and token from the provider's configuration", async () => {
    const baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/`;
    const configuration = new messages.ConfigureRequest();
    configuration.setArgs(struct({ baseUrl, token: secret.wrap("canary"), maxRetries: "0" }));
    await call<messages.ConfigureResponse>((done) => client.configure(configuration, done));
    const request = new messages.InvokeRequest();
    request.setTok("github:index/getRestApi:getRestApi");
    request.setArgs(struct({ endpoint: "repos/a/b" }));
    const answer = (await call<messages.InvokeResponse>((done) => client.invoke(request, done)))
      .getReturn()
      ?.toJavaScript();
    expect(answer?.["code"]).toBe(200);
    expect(JSON.parse(answer?.["body"] as string)).toMatchObject({ asked: ["/api/v3/repos/a/b", "Bearer canary"] });
  });

  it("says that it was not told whose its token is, when GitHub does not say either", async () => {
    const releases = createReleaseApi("/nowhere", "/nowhere");
    await new Promise<void>((resolve) => releases.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(releases.address() as AddressInfo).port}/`;
    const configure = (settings: object) => {
      const configuration = new messages.ConfigureRequest();
      configuration.setArgs(struct({ baseUrl, maxRetries: "0", ...settings }));
      return call<messages.ConfigureResponse>((done) => client.configure(configuration, done));
    };
    try {
      await expect(configure({ token: secret.wrap("canary") })).rejects.toThrow(
        /owner cannot be found by token: GET .*\/user: 403/,
      );
      await expect(configure({ token: secret.wrap("canary"), owner: "acme" })).resolves.toBeDefined();
      await expect(configure({}), "without a token there is nothing to find out").resolves.toBeDefined();
    } finally {
      releases.closeAllConnections();
      releases.close();
    }
  });

  it("refuses every other function", async () => {
    const request = new messages.InvokeRequest();
    request.setTok("github:index/getUser:getUser");
    request.setArgs(struct({}));
    await expect(call<messages.InvokeResponse>((done) => client.invoke(request, done))).rejects.toThrow(
      'not "github:index/getUser:getUser"',
    );
  });
});

/** Runs a command that does not end by itself; returns its process id. */
async function runForever(client: ResourceProviderClient): Promise<number> {
  const file = path.join(await mkdtemp(path.join(tmpdir(), "serve-")), "pid");
  const request = new messages.InvokeRequest();
  request.setTok("command:local:run");
  request.setArgs(struct({ command: `echo $$ > ${file}; sleep 600` }));
  call<messages.InvokeResponse>((done) => client.invoke(request, done)).catch(() => undefined);
  return expectNumber(file);
}

async function expectNumber(file: string): Promise<number> {
  let found = "";
  await expect
    .poll(async () => {
      found = await readFile(file, "utf8").catch(() => "");
      return found;
    })
    .toMatch(/^\d+\n$/);
  return Number(found);
}

async function running(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) [ZX]/.test(state);
}
