import type { VersionQuestion } from "./tool";
import { runProcess } from "../../components/system/process";

const limit = 30_000;

/**
 * Asks a program for its version by running it; the file's mere existence proves nothing (wrong machine, cut short).
 *
 * @returns the version without `v` and build suffix, "unversioned" when it runs but names none, undefined when it does not run
 */
export async function programVersion(program: string, question: VersionQuestion): Promise<string | undefined> {
  if (question.ask !== "command") {
    return pluginVersion(program, question.ask);
  }
  const result = await runProcess(program, question.args, { limitMs: limit }).catch(() => undefined);
  if (result?.status !== 0) {
    return undefined;
  }
  return /\d+\.\d+(\.\d+)?/.exec(result.stdout === "" ? result.stderr : result.stdout)?.[0] ?? "unversioned";
}

async function pluginVersion(program: string, kind: "provider" | "languageHost"): Promise<string | undefined> {
  // The argument is the engine's address. Nothing listens there; a plugin only connects when it has something to say.
  const stop = new AbortController();
  try {
    const port = await new Promise<string>((resolve) => {
      const ended = (): void => resolve("");
      runProcess(program, ["127.0.0.1:1"], { limitMs: limit, signal: stop.signal, graceMs: 0, onLine: resolve }).then(
        ended,
        ended,
      );
    });
    return /^\d+$/.test(port) ? await askPlugin(Number(port), kind) : undefined;
  } finally {
    stop.abort();
  }
}

async function askPlugin(port: number, kind: "provider" | "languageHost"): Promise<string | undefined> {
  // Loaded here: most runs find every plugin already checked and need no gRPC.
  const grpc = await import("@grpc/grpc-js");
  const { Empty } = await import("google-protobuf/google/protobuf/empty_pb");
  const { PluginInfo } = await import("@pulumi/pulumi/proto/plugin_pb");
  const service = kind === "provider" ? "ResourceProvider" : "LanguageRuntime";
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const version = await new Promise<string | undefined>((resolve) => {
    client.makeUnaryRequest(
      `/pulumirpc.${service}/GetPluginInfo`,
      (message: InstanceType<typeof Empty>) => Buffer.from(message.serializeBinary()),
      (bytes) => PluginInfo.deserializeBinary(bytes),
      new Empty(),
      { deadline: Date.now() + limit },
      (error, info) => resolve(error === null ? info?.getVersion() : undefined),
    );
  });
  client.close();
  return version === undefined ? undefined : version.replace(/^v/, "") || "unversioned";
}
