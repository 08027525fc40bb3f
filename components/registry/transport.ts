import { Readable } from "node:stream";
import { request as send, type Dispatcher } from "undici";
import type { Clock } from "../system/clock";
import type { Connections } from "./connections";
import { Limiter } from "../system/limiter";
import { OriginHealth, parseRetryAfter, retryDelay } from "./originHealth";
import { RegistryError, networkError } from "./registryError";
import { isLoopback } from "../model/reference";

/** One HTTP question. */
export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked right before each try, so that a token that ran out while waiting is not sent. Not sent to another origin. */
  readonly authorization?: () => Promise<string | undefined>;
  /** A function gives the body piece by piece, and is asked once for each try. */
  readonly body?: string | Buffer | (() => Promise<AsyncIterable<Buffer>>);
  /** Most bytes of an answer's body that are read; a longer one is malformed. */
  readonly bodyLimit: number;
  /** Hand a body of status 200 over unread and unlimited. */
  readonly stream?: true;
  /** Ask once; every status is an answer. */
  readonly once?: true;
  /** Do not wait for a free place: for the questions that others, holding a place, wait for. */
  readonly urgent?: true;
  /** Give a redirect back instead of following it. */
  readonly keepRedirect?: true;
}

/** Any final HTTP answer except 429, 408 and 5xx, which are errors once retrying did not help. */
export interface TransportAnswer {
  readonly status: number;
  /** Where the answer came from after redirects: scheme, host and port. */
  readonly origin: string;
  /** The same with path and query. */
  readonly address: string;
  readonly body: Buffer;
  /** The body is from where the request was sent to; what another host says is not for messages, which may be public. */
  readonly direct: boolean;
  /** Set instead of `body` when a stream was asked for and the status is 200. The reader has to consume or destroy it. */
  readonly stream?: Readable;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  header(name: string): string | undefined;
}

/** Times in milliseconds. */
export interface TransportOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** How long one question may take with all its retries, counted from its first try. */
  readonly retryBudgetMs: number;
  /** How long one try may take; for a stream, to the headers and between two pieces, of a body sent so too. */
  readonly requestTimeoutMs: number;
  /** How long a body handed over as a stream may take in all. Default 30 minutes. */
  readonly streamLimitMs?: number;
}

const mostRedirects = 5;
/** Tries when the far end is broken rather than busy; a busy one may be waited for as long as the budget lasts. */
const mostTries = 5;
const transientStatus = new Set([408, 429, 500, 502, 503, 504]);

type Outcome =
  | { readonly answer: TransportAnswer }
  | { readonly error: RegistryError; readonly retry: boolean; readonly waitMs?: number | undefined };

/**
 * HTTP with bounded concurrency, time limits and retries: the one place where requests leave.
 * A registry's Retry-After holds back every request to it, and once many in a row have given up on it
 * the others fail at once for a while, so that a thousand questions to a dead registry end in bounded time.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #limiter: Limiter;
  readonly #health = new Map<string, OriginHealth>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency);
  }

  /** @throws RegistryError when no answer could be had: network, time limit, rate limit, outage, body too long. */
  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { clock, retryBudgetMs } = this.#options;
    const health = this.#healthOf(request.url.origin);
    let started: number | undefined;
    for (let tries = 1; ; tries++) {
      const pause = request.once ? 0 : health.pause(clock.now());
      if (pause > 0) {
        started ??= clock.now();
        if (clock.now() + pause > started + retryBudgetMs) throw health.tooLong(request.url.host, pause);
        await clock.sleep(pause);
      }
      const outcome = await this.#inTurn(request, () => {
        started ??= clock.now();
        return this.#attempt(request, health);
      });
      if ("answer" in outcome) {
        if (outcome.answer.status < 500) health.succeeded();
        return outcome.answer;
      }
      const { error, retry, waitMs } = outcome;
      const delay = retryDelay(tries, waitMs, Math.random());
      const late = clock.now() + delay > (started ?? 0) + retryBudgetMs;
      const enough = error.kind === "rate-limited" ? false : tries >= mostTries;
      if (waitMs !== undefined) health.holdBack(clock.now() + waitMs);
      if (request.once || !retry || late || enough) throw health.gaveUp(error, tries, clock.now());
      await clock.sleep(delay);
    }
  }

  #healthOf(origin: string): OriginHealth {
    const { concurrency, retryBudgetMs } = this.#options;
    const health = this.#health.get(origin) ?? new OriginHealth(concurrency, retryBudgetMs);
    this.#health.set(origin, health);
    return health;
  }

  #inTurn<T>(request: TransportRequest, work: () => Promise<T>): Promise<T> {
    return request.urgent ? work() : this.#limiter.run(work);
  }

  async #attempt(request: TransportRequest, health: OriginHealth): Promise<Outcome> {
    health.refuseIfDead(request.url.host, this.#options.clock.now());
    const authorization = await request.authorization?.();
    try {
      const answer = await this.#follow(request, authorization);
      if (request.once || (answer.status < 500 && !transientStatus.has(answer.status))) return { answer };
      const kind = answer.status === 429 ? "rate-limited" : answer.status === 408 ? "timeout" : "outage";
      const message = `${printed(request)}: the answer was status ${answer.status}`;
      return {
        error: new RegistryError(kind, message, { status: answer.status }),
        retry: transientStatus.has(answer.status),
        waitMs: parseRetryAfter(answer.header("retry-after"), answer.header("date")),
      };
    } catch (cause) {
      if (cause instanceof RegistryError) return { error: cause, retry: false };
      return networkError(printed(request), cause);
    }
  }

  async #follow(request: TransportRequest, authorization: string | undefined): Promise<TransportAnswer> {
    // Aborting by the signal ends the connection too; a timer left to fire later could cut a stream off.
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(timeoutReason(this.#options)), this.#options.requestTimeoutMs);
    try {
      let url = request.url;
      for (let hops = 0; ; hops++) {
        const allowed = authorization !== undefined && url.origin === request.url.origin;
        const headers = { "user-agent": "multiarch-mirror", ...request.headers, ...(allowed && { authorization }) };
        const { method } = request;
        const body = await bodyOf(request, () => timer.refresh());
        const dispatcher = this.#options.connections.for(url, hops === 0 ? undefined : request.url);
        // Else the library ends the connection after each HEAD, and most questions of a run are one: a handshake for each.
        const options = { method, headers, body, dispatcher, signal: abort.signal, reset: false };
        const response = await send(url, options);
        const location = one(response.headers["location"]);
        const redirected = response.statusCode >= 300 && response.statusCode < 400 && location !== undefined;
        if (!redirected || request.keepRedirect)
          return await read(request, response, url, this.#options.streamLimitMs ?? 30 * 60_000);
        await response.body.dump();
        url = redirect(request, url, location, hops);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What is sent, and word of each piece of it. */
async function bodyOf({ body }: TransportRequest, sent: () => void): Promise<string | Buffer | Readable | null> {
  if (typeof body !== "function") return body ?? null;
  const pieces = await body();
  return Readable.from(
    (async function* () {
      for await (const piece of pieces) {
        sent();
        yield piece;
      }
    })(),
    { objectMode: false },
  );
}

/** The address without its query, which may carry somebody's signature. */
function printed({ method, url }: TransportRequest): string {
  return `${method} ${url.origin}${url.pathname}`;
}

function timeoutReason({ requestTimeoutMs }: TransportOptions): Error {
  return Object.assign(new Error(`no whole answer within ${requestTimeoutMs} ms`), { name: "TimeoutError" });
}

function redirect(request: TransportRequest, from: URL, location: string, hops: number): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const safe =
    to?.protocol === "https:" || (to?.protocol === "http:" && isLoopback(to.hostname) && isLoopback(from.hostname));
  const reads = request.method === "GET" || request.method === "HEAD";
  if (to && safe && hops < mostRedirects && reads) return to;
  const target = JSON.stringify(to?.origin ?? "");
  const accepted = `at most ${mostRedirects} redirects of reads to https addresses`;
  throw new RegistryError("malformed", `${printed(request)}: redirected to ${target}; accepted are ${accepted}`);
}

async function read(
  request: TransportRequest,
  response: Dispatcher.ResponseData,
  { origin, href: address }: URL,
  streamLimitMs: number,
): Promise<TransportAnswer> {
  const header = (name: string): string | undefined => one(response.headers[name.toLowerCase()]);
  const common = {
    status: response.statusCode,
    ...{ origin, address },
    headers: response.headers,
    header,
    direct: origin === request.url.origin,
  };
  if (request.stream && response.statusCode === 200) {
    return { ...common, body: Buffer.alloc(0), stream: endedAfter(response.body, streamLimitMs) };
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response.body as AsyncIterable<Buffer>) {
    length += piece.length;
    // Leaving the loop destroys the body and with it the connection, which still holds the rest.
    if (length > request.bodyLimit) {
      const fault = `the answer is longer than ${request.bodyLimit} bytes`;
      throw new RegistryError("malformed", `${printed(request)}: ${fault}`, { status: response.statusCode });
    }
    pieces.push(piece);
  }
  return { ...common, body: Buffer.concat(pieces) };
}

/** A host that sends a little now and then would else be read for ever. */
function endedAfter(stream: Readable, limitMs: number): Readable {
  const late = new Error(`the download took longer than ${limitMs / 1000} s, the most it may take`);
  const timer = setTimeout(() => stream.destroy(late), limitMs).unref();
  return stream.once("close", () => clearTimeout(timer));
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
