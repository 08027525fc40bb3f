import { Agent, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Exchange, ruleAnswer, type Answer } from "./exchange";
import type { SandboxPart } from "./faultRule";
import type { FaultRules } from "./faultRules";
import { PolyglotServer } from "./polyglotServer";
import type { RequestLog } from "./requestLog";

/** Looks at a request, and may answer it. */
export type Gate = (request: IncomingMessage) => Answer | undefined | Promise<Answer | undefined>;

/** What a front needs to know. */
export interface FrontOptions {
  readonly part: SandboxPart;
  readonly rules: FaultRules;
  readonly log: RequestLog;
  readonly certificate: { readonly key: string; readonly cert: string };
  /** Loopback port of the server behind. */
  readonly upstreamPort: number;
  /** Asked in order before a request is forwarded; the first answer is sent instead. */
  readonly gates?: readonly Gate[];
}

/**
 * The port of a part that clients see: plain HTTP and TLS on one port, a streaming keep-alive proxy to the server behind it,
 * a request log, latency, and the fault rules.
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

  /** Refuses connections and breaks open ones off; `open` listens on the same port again. */
  async close(): Promise<void> {
    await this.server.close();
    this.agent.destroy();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { part, rules, gates = [], log, upstreamPort } = this.options;
    const exchange = new Exchange(request, response, (entry) => log.write(entry));
    const rule = rules.match(part, request.method ?? "", request.url ?? "");
    const wait = this.latencyMs + (rule?.delayMs ?? 0);
    if (wait > 0) await sleep(wait);
    if (response.destroyed) return;
    if (rule?.cut === "request") return exchange.cut();
    if (rule?.status !== undefined && rule.forward !== true) return exchange.answer(ruleAnswer(rule));
    for (const gate of gates) {
      const answer = await gate(request);
      if (answer) return exchange.answer(answer);
    }
    if (response.destroyed) return;
    exchange.forward({ host: "127.0.0.1", port: upstreamPort, agent: this.agent }, part, rule);
  }
}
