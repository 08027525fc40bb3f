import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  Agent as HttpAgent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCertificate } from "../../../tools/sandbox/certificate";
import { parseFaultRules } from "../../../tools/sandbox/faultRule";
import { FaultRules } from "../../../tools/sandbox/faultRules";
import { Front, type FrontOptions } from "../../../tools/sandbox/front";
import { RequestLog, type LoggedRequest } from "../../../tools/sandbox/requestLog";

/** What a client got. */
export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A front before a server of the test's own, and a client that keeps connections open. */
export class FrontBench {
  /** `METHOD PATH` of every request the server behind has begun to read. */
  readonly seen: string[] = [];
  /** Connections made to the server behind. */
  upstreamConnections = 0;
  private readonly plainAgent = new HttpAgent({ keepAlive: true });
  private readonly tlsAgent = new HttpsAgent({ keepAlive: true, rejectUnauthorized: false });

  private constructor(
    private readonly folder: string,
    readonly server: Server,
    readonly front: Front,
    private readonly rules: FaultRules,
    private readonly log: RequestLog,
  ) {}

  static async open(
    handler: RequestListener,
    { gates, preferredPort = 0 }: Pick<FrontOptions, "gates"> & { readonly preferredPort?: number } = {},
  ): Promise<FrontBench> {
    const folder = mkdtempSync(join(tmpdir(), "front-"));
    const certificate = await loadCertificate(join(folder, "tls"));
    const server = createServer((request, response) => {
      bench.seen.push(`${request.method} ${request.url}`);
      handler(request, response);
    });
    server.on("connection", () => bench.upstreamConnections++);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const upstreamPort = (server.address() as AddressInfo).port;
    const [rules, log] = [new FaultRules(), new RequestLog(join(folder, "log"))];
    const front = new Front({ part: "registry", rules, log, certificate, upstreamPort, ...(gates && { gates }) });
    await front.open(preferredPort);
    const bench: FrontBench = new FrontBench(folder, server, front, rules, log);
    return bench;
  }

  setRules(...rules: readonly unknown[]): void {
    this.rules.set(parseFaultRules(rules));
  }

  /** Requests the rules have acted on. */
  used(): number {
    return this.rules.status().reduce((sum, { used }) => sum + used, 0);
  }

  logged(): readonly LoggedRequest[] {
    return RequestLog.read(this.log.file);
  }

  /** Sends a request; rejects when the connection breaks, also in the middle of the answer. */
  send(
    method: string,
    path: string,
    options: { body?: Buffer; tls?: boolean; headers?: Record<string, string> } = {},
  ): Promise<Received> {
    const { body, tls = false, headers = {} } = options;
    const target = { host: "localhost", port: this.front.port, method, path, headers };
    return new Promise((resolve, reject) => {
      const onAnswer = (response: IncomingMessage): void => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        const received = (): Received => ({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        });
        response.on("end", () => resolve(received()));
        response.on("error", (error) => reject(Object.assign(error, { received: received() })));
      };
      const request = tls
        ? httpsRequest({ ...target, agent: this.tlsAgent }, onAnswer)
        : httpRequest({ ...target, agent: this.plainAgent }, onAnswer);
      request.on("error", reject);
      request.end(body);
    });
  }

  async close(): Promise<void> {
    this.plainAgent.destroy();
    this.tlsAgent.destroy();
    await this.front.close();
    this.server.closeAllConnections();
    this.server.close();
    this.log.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Bytes no compression or buffering can shorten. */
export function noise(length: number): Buffer {
  return randomBytes(length);
}

/** SHA-256, hex. */
export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
