import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { FaultRule, SandboxPart } from "./faultRule";
import type { FaultRules } from "./faultRules";
import { Pacer } from "./pacer";
import { PolyglotServer } from "./polyglotServer";
import type { LoggedRequest, RequestLog } from "./requestLog";

/** A whole answer made up by the front itself. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but a string is sent as JSON. */
  readonly body?: unknown;
}

/** What a front needs to know. */
export interface FrontOptions {
  readonly part: SandboxPart;
  readonly rules: FaultRules;
  readonly log: RequestLog;
  readonly certificate: { readonly key: string; readonly cert: string };
  /** Loopback port of the server behind. */
  readonly upstreamPort: number;
  /** Asked before a request is forwarded; an answer is sent instead. */
  readonly gate?: (request: IncomingMessage) => Answer | undefined;
}

/** Headers that concern one connection only (RFC 9110, 7.6.1), and the expectation Node has already met. */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"]);

/** Writes the log line of one request, once; later calls do nothing. */
type Recorder = (status: LoggedRequest["status"], bytes: number) => void;

/**
 * The port of a part that clients see: plain HTTP and TLS on one port, a streaming keep-alive proxy to the server behind it,
 * a request log, latency, and the fault rules. A server that does not answer gives 502.
 */
export class Front {
  private readonly server: PolyglotServer;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
  /** Added before every request, in milliseconds. */
  latencyMs = 0;

  constructor(private readonly options: FrontOptions) {
    this.server = new PolyglotServer(options.certificate, (request, response) => {
      void this.handle(request, response);
    });
  }

  /** The port clients use, 0 before the first `open`. */
  get port(): number {
    return this.server.port;
  }

  /** Starts listening; see {@link PolyglotServer.listen}. */
  open(preferredPort?: number): Promise<number> {
    return this.server.listen(preferredPort);
  }

  /** Refuses connections and resets open ones; `open` listens on the same port again. */
  async close(): Promise<void> {
    await this.server.close();
    this.agent.destroy();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { part, rules, gate } = this.options;
    const record = this.recorder(request, response);
    const rule = rules.match(part, request.method ?? "", request.url ?? "");
    const wait = this.latencyMs + (rule?.delayMs ?? 0);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (rule?.cut === "request") return cut(request, record);
    if (rule?.status !== undefined && rule.forward !== true) return answer(request, response, ruleAnswer(rule), record);
    const denial = gate?.(request);
    if (denial) return answer(request, response, denial, record);
    this.forward(request, response, rule, record);
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    rule: FaultRule | undefined,
    record: Recorder,
  ): void {
    const upstream = httpRequest({
      host: "127.0.0.1",
      port: this.options.upstreamPort,
      agent: this.agent,
      method: request.method,
      path: request.url,
      headers: endToEnd(request.rawHeaders),
      setHost: false,
    });
    upstream.on("error", (error) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      answer(
        request,
        response,
        { status: 502, body: `sandbox: ${this.options.part} does not answer: ${error.message}\n` },
        record,
      );
    });
    upstream.on("response", (reply) => relay(request, response, reply, rule, record));
    response.once("close", () => {
      if (!response.writableFinished) upstream.destroy();
    });
    sendBody(request, upstream, rule, record);
  }

  private recorder(request: IncomingMessage, response: ServerResponse): Recorder {
    const { log } = this.options;
    const arrived = new Date();
    const started = performance.now();
    let written = false;
    const record: Recorder = (status, bytes) => {
      if (written) return;
      written = true;
      const milliseconds = Math.round(performance.now() - started);
      log.write({
        time: arrived.toISOString(),
        method: request.method ?? "-",
        path: request.url ?? "-",
        status,
        bytes,
        milliseconds,
      });
    };
    response.once("close", () => record("aborted", 0));
    return record;
  }
}

function ruleAnswer({ status = 500, headers, body }: FaultRule): Answer {
  return { status, ...(headers && { headers }), body: body ?? "" };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = "" }: Answer,
  record: Recorder,
): void {
  // What the client still sends is read and dropped, or it would never come to reading the answer.
  request.resume();
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
  const length = Buffer.byteLength(text);
  response.writeHead(status, { "Content-Type": type, "Content-Length": length, ...headers });
  record(status, request.method === "HEAD" ? 0 : length);
  response.end(text);
}

function cut(request: IncomingMessage, record: Recorder, bytes = 0): void {
  record("cut", bytes);
  const { socket } = request;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function sendBody(
  request: IncomingMessage,
  upstream: ReturnType<typeof httpRequest>,
  rule: FaultRule | undefined,
  record: Recorder,
): void {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return void upstream.end();
  const limit = typeof rule?.cut === "object" && "requestBytes" in rule.cut ? rule.cut.requestBytes : undefined;
  if (limit === undefined && rule?.bytesPerSecond === undefined) return void request.pipe(upstream);
  const stop = (): void => {
    upstream.destroy();
    cut(request, record);
  };
  request.pipe(new Pacer({ bytesPerSecond: rule?.bytesPerSecond, limit }, stop)).pipe(upstream);
}

function relay(
  request: IncomingMessage,
  response: ServerResponse,
  reply: IncomingMessage,
  rule: FaultRule | undefined,
  record: Recorder,
): void {
  if (response.destroyed) return void reply.resume();
  if (rule?.cut === "response" || rule?.status !== undefined) {
    const finish = rule.cut === "response" ? cut : () => answer(request, response, ruleAnswer(rule), record);
    return void reply.resume().on("end", () => finish(request, record));
  }
  const status = reply.statusCode ?? 502;
  let bytes = 0;
  reply.on("error", () => response.destroy());
  response.writeHead(status, reply.statusMessage, endToEnd(reply.rawHeaders));
  const limit = typeof rule?.cut === "object" && "responseBytes" in rule.cut ? rule.cut.responseBytes : undefined;
  const paced = limit !== undefined || rule?.bytesPerSecond !== undefined;
  const source = paced
    ? reply.pipe(
        new Pacer({ bytesPerSecond: rule?.bytesPerSecond, limit }, () =>
          cutAfterFlush(request, response, record, limit),
        ),
      )
    : reply;
  source.on("data", (chunk: Buffer) => (bytes += chunk.length));
  source.on("end", () => {
    record(status, bytes);
    response.end();
  });
  source.pipe(response, { end: false });
}

/** Cuts once the bytes that were to pass have left this process; a reset at once would throw them away. */
function cutAfterFlush(request: IncomingMessage, response: ServerResponse, record: Recorder, bytes = 0): void {
  response.flushHeaders();
  setTimeout(() => cut(request, record, bytes), 20);
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? "");
  }
  return kept;
}
