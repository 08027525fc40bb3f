import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import type { FaultRule } from "./faultRule";
import { Pacer } from "./pacer";
import type { LoggedRequest } from "./requestLog";

/** A whole answer made up by the sandbox itself. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but a string is sent as JSON. */
  readonly body?: unknown;
}

/** Headers that concern one connection only (RFC 9110, 7.6.1), and the expectation Node has already met. */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"]);

/** One request and its answer on their way through the proxy. Whatever happens to it is logged exactly once. */
export class Exchange {
  private readonly arrived = new Date();
  private readonly started = performance.now();
  private logged = false;
  /** Bytes of the answer's body so far. */
  private bytes = 0;

  constructor(
    readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly write: (entry: LoggedRequest) => void,
  ) {
    // Closed without anybody having logged it: the client went away, or the part did.
    response.once("close", () => this.log("aborted"));
  }

  /** Sends a whole answer. */
  answer({ status, headers, body = "" }: Answer): void {
    // What the client still sends is read and dropped, or it would never come to reading the answer.
    this.request.resume();
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
    const length = Buffer.byteLength(text);
    const named = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === "content-type");
    this.response.writeHead(status, {
      ...(named ? {} : { "Content-Type": type }),
      "Content-Length": length,
      ...headers,
    });
    this.bytes = this.request.method === "HEAD" ? 0 : length;
    this.log(status);
    this.response.end(text);
  }

  /** Breaks the connection off. */
  cut(): void {
    this.log("cut");
    this.request.socket.destroy();
  }

  /**
   * Passes the request to a server and its answer back, both as streams, under what a rule says about bodies.
   * A server that does not answer gives 502; one that breaks off breaks the client's connection off.
   */
  forward(target: RequestOptions, part: string, rule: FaultRule | undefined): void {
    const { method, url, rawHeaders } = this.request;
    const upstream = httpRequest({ ...target, method, path: url, headers: endToEnd(rawHeaders), setHost: false });
    upstream.on("error", (error) => {
      if (this.logged) return;
      if (this.response.headersSent) return void this.response.destroy();
      this.answer({ status: 502, body: `sandbox: ${part} does not answer: ${error.message}\n` });
    });
    upstream.on("response", (reply) => this.relay(reply, rule));
    this.response.once("close", () => {
      if (!this.response.writableFinished) upstream.destroy();
    });
    this.sendBody(upstream, rule);
  }

  private sendBody(upstream: ClientRequest, rule: FaultRule | undefined): void {
    const { "content-length": length, "transfer-encoding": encoding } = this.request.headers;
    if (encoding === undefined && (length === undefined || length === "0")) return void upstream.end();
    const limit = typeof rule?.cut === "object" && "requestBytes" in rule.cut ? rule.cut.requestBytes : undefined;
    const bytesPerSecond = rule?.bytesPerSecond;
    if (limit === undefined && bytesPerSecond === undefined) return void this.request.pipe(upstream);
    let cutShort = false;
    const pacer = new Pacer({ bytesPerSecond, limit }, () => (cutShort = true));
    pacer.once("end", () => {
      if (!cutShort) return void upstream.end();
      this.request.unpipe();
      // Called when all that was passed on has left: the part is to see it.
      upstream.write("", () => {
        this.cut();
        upstream.destroy();
      });
    });
    this.request.pipe(pacer).pipe(upstream, { end: false });
  }

  private relay(reply: IncomingMessage, rule: FaultRule | undefined): void {
    if (this.response.destroyed) return void reply.destroy();
    if (rule?.cut === "response") return void reply.resume().on("end", () => this.cut());
    if (rule?.status !== undefined) return void reply.resume().on("end", () => this.answer(ruleAnswer(rule)));
    const status = reply.statusCode ?? 502;
    reply.on("error", () => this.response.destroy());
    this.response.writeHead(status, reply.statusMessage, endToEnd(reply.rawHeaders));
    const limit = typeof rule?.cut === "object" && "responseBytes" in rule.cut ? rule.cut.responseBytes : undefined;
    const bytesPerSecond = rule?.bytesPerSecond;
    let cutShort = false;
    const pacer = new Pacer({ bytesPerSecond, limit }, () => (cutShort = true));
    const body = limit === undefined && bytesPerSecond === undefined ? reply : reply.pipe(pacer);
    body.on("data", (chunk: Buffer) => (this.bytes += chunk.length));
    body.on("end", () => {
      this.log(cutShort ? "cut" : status);
      if (!cutShort) return void this.response.end();
      this.response.flushHeaders();
      this.request.socket.destroySoon();
    });
    body.pipe(this.response, { end: false });
  }

  private log(status: LoggedRequest["status"]): void {
    if (this.logged) return;
    this.logged = true;
    const { method = "-", url: path = "-" } = this.request;
    const milliseconds = Math.round(performance.now() - this.started);
    this.write({ time: this.arrived.toISOString(), method, path, status, bytes: this.bytes, milliseconds });
  }
}

/** The answer a rule with a `status` gives. */
export function ruleAnswer({ status = 500, headers, body }: FaultRule): Answer {
  return { status, ...(headers && { headers }), body: body ?? "" };
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? "");
  }
  return kept;
}
