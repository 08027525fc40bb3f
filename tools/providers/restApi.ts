import { setTimeout as wait } from "node:timers/promises";

/** How to reach a GitHub REST API. */
export interface RestApiOptions {
  /** Absolute URL; anything but github.com and ghe.com is taken for GitHub Enterprise Server, whose API is at `api/v3/`. */
  readonly baseUrl: string;
  readonly token: string | undefined;
  /** Further tries after 500, 502, 503 and 504, and where nobody answers. */
  readonly maxRetries: number;
  /** Milliseconds between tries. */
  readonly retryDelay: number;
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
const requestTimeout = 60_000;
const longestPause = 60_000;

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
    const response = await get(url, options.token).catch((error: unknown) => {
      if (last) {
        throw error;
      }
      return undefined;
    });
    const body = (await response?.text()) ?? "";
    if (response && ((response.ok && response.status !== 202) || response.status === 404)) {
      return answer(endpoint, response, body);
    }
    const pause = response ? pauseBeforeRetry(response, body, options.retryDelay) : options.retryDelay;
    if (response && (last || pause === undefined || pause > longestPause)) {
      throw new Error(`GET ${url.href}: ${statusLine(response)}`);
    }
    await wait(pause);
  }
}

function endpointUrl(endpoint: string, baseUrl: string): URL {
  const api = apiRoot(baseUrl);
  const url = new URL(endpoint, api);
  if (url.origin !== api.origin) {
    // The official provider would follow, token and all.
    throw new Error(
      `endpoint ${JSON.stringify(endpoint)} leads away from ${api.origin}; give a path such as repos/<owner>/<name>`,
    );
  }
  return url;
}

function apiRoot(baseUrl: string): URL {
  const url = new URL(baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`);
  if (url.hostname === "github.com" || (url.hostname.endsWith(".ghe.com") && !url.hostname.startsWith("api."))) {
    url.hostname = `api.${url.hostname}`;
  }
  if (url.hostname === "api.github.com" || url.hostname.endsWith(".ghe.com")) {
    if (url.protocol !== "https:" || url.pathname !== "/") {
      throw new Error(
        `base URL ${JSON.stringify(baseUrl)}; for github.com and ghe.com accepted is https:// without a path`,
      );
    }
    return url;
  }
  return url.pathname.endsWith("/api/v3/") ? url : new URL("api/v3/", url);
}

async function get(url: URL, token: string | undefined): Promise<Response> {
  try {
    return await fetch(url, {
      headers: {
        accept: "application/vnd.github.v3+json",
        "user-agent": "multiarch-mirror",
        "x-github-api-version": "2022-11-28",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(requestTimeout),
    });
  } catch (error) {
    const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : "";
    throw new Error(`GET ${url.href}: ${reason}`, { cause: error });
  }
}

function pauseBeforeRetry(response: Response, body: string, retryDelay: number): number | undefined {
  if (retried.has(response.status)) {
    return retryDelay;
  }
  if (response.status !== 403 && response.status !== 429) {
    return undefined;
  }
  if (response.headers.get("x-ratelimit-remaining") === "0") {
    const reset = Number(response.headers.get("x-ratelimit-reset") ?? "0");
    return Math.max(0, reset * 1000 - Date.now());
  }
  const secondary = /"documentation_url"\s*:\s*"[^"]*(#abuse-rate-limits|secondary-rate-limits)"/.test(body);
  return secondary ? Number(response.headers.get("retry-after") ?? "0") * 1000 : undefined;
}

function answer(endpoint: string, response: Response, body: string): RestApiAnswer {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of response.headers) {
    (headers[canonical(name)] ??= []).push(value);
  }
  return {
    id: response.headers.get("x-github-request-id") ?? "",
    endpoint,
    code: response.status,
    status: statusLine(response),
    headers: JSON.stringify(headers),
    body,
  };
}

function statusLine(response: Response): string {
  return `${response.status} ${response.statusText}`.trimEnd();
}

/** Header names as Go writes them: `x-github-request-id` is `X-Github-Request-Id`. */
function canonical(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}
