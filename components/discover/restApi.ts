import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { reasonOf } from "../model/reasonOf";
import type { Transport, TransportAnswer } from "../registry/transport";
import { systemClock } from "../system/clock";
import { readKept, writeWhole } from "../system/placeWhole";
import { fileTransport } from "./upstreamFiles";

// Over the wire a provider's settings arrive as strings, whatever their type: maxRetries "3", insecure "true".
const settingsSchema = z.object({
  baseUrl: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  maxRetries: z.coerce.number().int().min(0).optional(),
  retryDelayMs: z.coerce.number().int().min(0).optional(),
});

/** How to reach a GitHub REST API. */
export interface RestApiOptions {
  /** Absolute URL; anything but github.com and ghe.com is taken for GitHub Enterprise Server, whose API is at `api/v3/`. */
  readonly baseUrl: string;
  readonly token: string | undefined;
  /** Further tries after 500, 502, 503 and 504, and where nobody answers. */
  readonly maxRetries: number;
  /** Milliseconds between tries. */
  readonly retryDelay: number;
  readonly transport: Transport;
  /**
   * Folder in which answers are kept with their entity tags, to ask only whether they still hold: with a token that does not count
   * against the rate limit, without one it does. Undefined: none are kept.
   */
  readonly kept?: string;
}

/**
 * The API as the `github` provider is configured: by the stack's keys `github:…`, else by GITHUB_BASE_URL and GITHUB_TOKEN.
 * @throws Error when a setting is of the wrong kind.
 */
export function restApiOptions(
  settings: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
): RestApiOptions {
  const given = settingsSchema.parse(settings);
  return {
    baseUrl: given.baseUrl ?? (environment["GITHUB_BASE_URL"] || "https://api.github.com/"),
    token: given.token ?? (environment["GITHUB_TOKEN"] || undefined),
    maxRetries: given.maxRetries ?? 3,
    retryDelay: given.retryDelayMs ?? 1000,
    transport: fileTransport({ environment, requestTimeoutMs: 60_000 }),
  };
}

/** What `getRestApi` returns; `headers` and `body` are JSON texts. */
export interface RestApiAnswer {
  readonly id: string;
  readonly endpoint: string;
  readonly code: number;
  readonly status: string;
  readonly headers: string;
  readonly body: string;
}

const retried = new Set([500, 502, 503, 504]);
const longestPause = 60_000;
/** A page of a hundred releases with all their texts and assets. */
const longestBody = 64 * 1024 * 1024;

/**
 * One GET to the GitHub REST API, answered as the official provider answers: 2xx *and 404* are results, every other
 * status fails, 202 too. Server errors are tried again as configured. A rate limit is waited for: one that is used up
 * (X-RateLimit-Remaining 0) until X-RateLimit-Reset, a secondary one (told by the documentation the answer points to) as
 * Retry-After says; unlike the official provider never longer than a minute, and at most `maxRetries` times.
 *
 * Source: data_source_github_rest_api.go, transport.go and getBaseURL in config.go of integrations/terraform-provider-github
 * 6.13.0, CheckResponse in github.go of google/go-github 88.
 *
 * @throws Error naming URL and status; never the token, never the body
 */
export async function restApi(endpoint: string, options: RestApiOptions): Promise<RestApiAnswer> {
  const url = endpointUrl(endpoint, options.baseUrl);
  for (let attempt = 0; ; attempt += 1) {
    const last = attempt >= options.maxRetries;
    const known = attempt === 0 ? await knownAnswer(url, options) : undefined;
    const response = await get(url, options, known?.entityTag).catch((error: unknown) => {
      if (last) throw error;
      return undefined;
    });
    const body = response?.body.toString() ?? "";
    if (known && response?.status === 304) return known.answer;
    if (response && isResult(response.status)) {
      const result = answer(endpoint, response, body);
      await keepAnswer(url, options, { entityTag: response.header("etag") ?? "", answer: result });
      return result;
    }
    const pause = response ? pauseBeforeRetry(response, body, options.retryDelay) : options.retryDelay;
    if (response && (last || pause === undefined || pause > longestPause))
      throw new Error(`GET ${url.href}: ${statusLine(response)}`);
    await systemClock.sleep(pause ?? options.retryDelay);
  }
}

function isResult(status: number): boolean {
  return (status >= 200 && status < 300 && status !== 202) || status === 404;
}

function endpointUrl(endpoint: string, baseUrl: string): URL {
  const api = apiRoot(baseUrl);
  const url = new URL(endpoint, api);
  // The official provider would follow, token and all.
  if (url.origin !== api.origin)
    throw new Error(
      `endpoint ${JSON.stringify(endpoint)} leads away from ${api.origin}; give a path such as repos/<owner>/<name>`,
    );
  return url;
}

function apiRoot(baseUrl: string): URL {
  const url = new URL(baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`);
  if (url.hostname === "github.com" || (url.hostname.endsWith(".ghe.com") && !url.hostname.startsWith("api.")))
    url.hostname = `api.${url.hostname}`;
  if (url.hostname === "api.github.com" || url.hostname.endsWith(".ghe.com")) {
    if (url.protocol !== "https:" || url.pathname !== "/")
      throw new Error(
        `base URL ${JSON.stringify(baseUrl)}; for github.com and ghe.com accepted is https:// without a path`,
      );
    return url;
  }
  return url.pathname.endsWith("/api/v3/") ? url : new URL("api/v3/", url);
}

const knownSchema = z.object({
  entityTag: z.string().regex(/^(?:W\/)?"[\x21\x23-\x7e]*"$/),
  answer: z.object({
    ...{ id: z.string(), endpoint: z.string(), code: z.literal(200), status: z.string() },
    ...{ headers: z.string(), body: z.string() },
  }),
});

/** An answer the API gave before, and by what it tells whether that still holds. A file that cannot be read is none. */
async function knownAnswer(
  url: URL,
  { token, kept }: RestApiOptions,
): Promise<z.output<typeof knownSchema> | undefined> {
  if (kept === undefined || token === undefined) return undefined;
  return readKept(keptFile(url, kept), knownSchema);
}

async function keepAnswer(
  url: URL,
  { token, kept }: RestApiOptions,
  known: { readonly entityTag: string; readonly answer: RestApiAnswer },
): Promise<void> {
  if (kept === undefined || token === undefined || !knownSchema.safeParse(known).success) return;
  // What is not kept is asked again.
  await writeWhole(keptFile(url, kept), JSON.stringify(known)).catch(() => undefined);
}

function keptFile({ href }: URL, folder: string): string {
  return join(folder, `${createHash("sha256").update(href).digest("hex")}.json`);
}

async function get(url: URL, { token, transport }: RestApiOptions, entityTag?: string): Promise<TransportAnswer> {
  const headers = {
    ...(entityTag !== undefined && { "if-none-match": entityTag }),
    ...{ accept: "application/vnd.github.v3+json", "x-github-api-version": "2022-11-28" },
  };
  const authorization = async (): Promise<string | undefined> => token && `Bearer ${token}`;
  try {
    return await transport.send({ method: "GET", url, headers, authorization, bodyLimit: longestBody, once: true });
  } catch (cause) {
    throw new Error(`GET ${url.href}: ${reasonOf(cause)}`, { cause });
  }
}

function pauseBeforeRetry(response: TransportAnswer, body: string, retryDelay: number): number | undefined {
  if (retried.has(response.status)) return retryDelay;
  if (response.status !== 403 && response.status !== 429) return undefined;
  if (response.header("x-ratelimit-remaining") === "0")
    return Math.max(0, Number(response.header("x-ratelimit-reset") ?? "0") * 1000 - Date.now());
  const secondary = /"documentation_url"\s*:\s*"[^"]*(#abuse-rate-limits|secondary-rate-limits)"/.test(body);
  return secondary ? Number(response.header("retry-after") ?? "0") * 1000 : undefined;
}

function answer(endpoint: string, response: TransportAnswer, body: string): RestApiAnswer {
  const headers = Object.entries(response.headers).map(([name, value]) => [canonical(name), [value].flat()]);
  return {
    id: response.header("x-github-request-id") ?? "",
    endpoint,
    code: response.status,
    status: statusLine(response),
    headers: JSON.stringify(Object.fromEntries(headers)),
    body,
  };
}

function statusLine({ status }: TransportAnswer): string {
  return `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
}

/** Header names as Go writes them: `x-github-request-id` is `X-Github-Request-Id`. */
function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}
