import { isDeepStrictEqual } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { secret } from "./secret";
import type { Operation, Properties, Refusal, StandIn } from "./standIn";

const messageLimit = 400 * 1024 * 1024;

/**
 * Serves a stand-in as a Pulumi resource provider and prints its port, as the engine expects.
 *
 * Speaks the protocol directly instead of through `@pulumi/pulumi/provider`: that server hides the provider's
 * configuration, time-outs and previews from us, and takes four times as long to load.
 * Ends with its parent: an engine that is killed cannot say goodbye, and its commands must not run on.
 *
 * @param args command line after the script: flags and the engine's address
 */
export async function serve(provider: StandIn, args: readonly string[]): Promise<void> {
  const log = engineLog(args.find((argument) => !argument.startsWith("-")));
  const server = new grpc.Server({ "grpc.max_receive_message_length": messageLimit });
  server.addService(ResourceProviderService, { ...lifecycle(provider), ...resources(provider, log) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  endWithParent(provider);
  process.stdout.write(`${port}\n`);
}

function endWithParent(provider: StandIn): void {
  const end = (): void => {
    provider.cancel();
    process.exit(0);
  };
  // The engine ends a plugin with SIGINT and waits ten seconds for it to go.
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      end();
    }
  }, 500).unref();
}

type EngineLog = (urn: string) => (line: string) => void;

function engineLog(address: string | undefined): EngineLog {
  if (address === undefined || !/^[\w.-]+:\d+$/.test(address)) {
    return () => () => undefined;
  }
  const client = new EngineClient(address, grpc.credentials.createInsecure());
  return (urn) => (line) => {
    const request = new engine.LogRequest();
    request.setSeverity(engine.LogSeverity.INFO);
    request.setMessage(line);
    request.setUrn(urn);
    request.setEphemeral(true);
    client.log(request, () => undefined);
  };
}

type Handler<Request, Response> = (call: { request: Request }, callback: grpc.sendUnaryData<Response>) => void;

/** Turns an async function into a gRPC handler; a thrown error becomes the call's status. */
function handler<Request, Response>(answer: (request: Request) => Promise<Response>): Handler<Request, Response> {
  return (call, callback) => {
    answer(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => {
        const details = error instanceof Error ? error.message : JSON.stringify(error);
        callback({ code: grpc.status.UNKNOWN, details });
      },
    );
  };
}

function lifecycle(provider: StandIn): grpc.UntypedServiceImplementation {
  return {
    getPluginInfo: handler(async () => {
      const info = new PluginInfo();
      info.setVersion(provider.version);
      return info;
    }),
    getSchema: handler(async () => {
      const response = new messages.GetSchemaResponse();
      response.setSchema("{}");
      return response;
    }),
    attach: handler(async () => new Empty()),
    cancel: handler(async () => {
      provider.cancel();
      return new Empty();
    }),
    configure: handler(async (request: messages.ConfigureRequest) => {
      await provider.configure?.(secret.openAll(read(request.getArgs())));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    invoke: handler(async (request: messages.InvokeRequest) => {
      const response = new messages.InvokeResponse();
      const result = await provider.invoke(request.getTok(), read(request.getArgs()));
      if (isRefused(result)) {
        response.setFailuresList(failures(result));
      } else {
        response.setReturn(write(result));
      }
      return response;
    }),
  };
}

function resources(provider: StandIn, log: EngineLog): grpc.UntypedServiceImplementation {
  return {
    check: handler(async (request: messages.CheckRequest) => {
      const response = new messages.CheckResponse();
      const inputs = read(request.getNews());
      response.setInputs(write(inputs));
      response.setFailuresList(failures(provider.check(typeOf(request.getUrn()), secret.openAll(inputs))));
      return response;
    }),
    diff: handler(async (request: messages.DiffRequest) => diff(provider, request)),
    create: handler(async (request: messages.CreateRequest) => {
      const response = new messages.CreateResponse();
      const created = await provider.create(operation(request, log), read(request.getProperties()));
      response.setId(request.getPreview() ? "" : created.id);
      response.setProperties(write(created.outputs));
      return response;
    }),
    read: handler(async (request: messages.ReadRequest) => {
      const response = new messages.ReadResponse();
      response.setId(request.getId());
      response.setProperties(request.getProperties());
      response.setInputs(request.getInputs());
      return response;
    }),
    update: handler(async (request: messages.UpdateRequest) => {
      const response = new messages.UpdateResponse();
      const outputs = await provider.update(operation(request, log), read(request.getOlds()), read(request.getNews()));
      response.setProperties(write(outputs));
      return response;
    }),
    delete: handler(async (request: messages.DeleteRequest) => {
      await provider.delete(operation(request, log), read(request.getProperties()));
      return new Empty();
    }),
  };
}

function diff(provider: StandIn, request: messages.DiffRequest): messages.DiffResponse {
  const ignored = new Set(request.getIgnorechangesList());
  const olds = secret.openAll(read(request.getOldInputs() ?? request.getOlds()));
  const news = secret.openAll(read(request.getNews()));
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const changed = names.filter((name) => !ignored.has(name) && !isDeepStrictEqual(olds[name], news[name]));
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse();
  response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDiffsList(changed);
  response.setReplacesList(changed.filter((name) => provider.replacedBy.includes(name)));
  return response;
}

function operation(
  request: messages.CreateRequest | messages.UpdateRequest | messages.DeleteRequest,
  log: EngineLog,
): Operation {
  const urn = request.getUrn();
  const seconds = request.getTimeout();
  return {
    urn,
    name: urn.split("::").at(-1) ?? urn,
    preview: "getPreview" in request && request.getPreview(),
    timeout: seconds > 0 ? seconds * 1000 : undefined,
    log: log(urn),
  };
}

function typeOf(urn: string): string {
  return (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
}

function isRefused(result: Properties | readonly Refusal[]): result is readonly Refusal[] {
  return Array.isArray(result);
}

function failures(refusals: readonly Refusal[]): messages.CheckFailure[] {
  return refusals.map(({ property, reason }) => {
    const failure = new messages.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });
}

function read(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

function write(properties: Properties): Struct {
  const defined = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Struct.fromJavaScript(Object.fromEntries(defined) as Record<string, JavaScriptValue>);
}
