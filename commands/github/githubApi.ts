/** A request GitHub did not carry out. */
class GithubApiError extends Error {
  override readonly name = "GithubApiError";

  constructor(
    message: string,
    /** HTTP status; undefined: there was no answer. */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const limitMs = 30_000;
const pageSize = 100;
/** More than anybody has issues of one label; a bound against a list without end. */
const mostPages = 20;

/** The few calls of GitHub's REST API (version 2022-11-28) that keep issues and schedules. */
export class GithubApi {
  private constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  /**
   * Takes repository, address and token from the environment of GitHub Actions.
   * @throws Error naming the variable that is not set.
   */
  static of(environment: NodeJS.ProcessEnv): GithubApi {
    const {
      GITHUB_API_URL: url = "https://api.github.com",
      GITHUB_REPOSITORY: repository,
      GITHUB_TOKEN: token,
    } = environment;
    if (!repository || !/^[\w.-]+\/[\w.-]+$/.test(repository))
      throw new Error(`GITHUB_REPOSITORY: ${JSON.stringify(repository)}; accepted is owner/name`);
    if (!token) throw new Error("GITHUB_TOKEN is not set; it needs a token that may write issues");
    return new GithubApi(`${url.replace(/\/+$/, "")}/repos/${repository}`, token);
  }

  /** @throws GithubApiError */
  async send(method: "GET" | "POST" | "PATCH" | "PUT", path: string, body?: unknown): Promise<unknown> {
    const response = await this.fetch(method, path, body);
    const text = await response.text();
    if (!response.ok) {
      const said = text.slice(0, 200);
      throw new GithubApiError(
        `${method} ${path} answered ${response.status}: ${JSON.stringify(said)}`,
        response.status,
      );
    }
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }

  /** All items of a list. `path` has a query already. @throws GithubApiError */
  async list(path: string): Promise<readonly unknown[]> {
    const items: unknown[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const answer = await this.send("GET", `${path}&per_page=${pageSize}&page=${page}`);
      if (!Array.isArray(answer)) throw new GithubApiError(`GET ${path} did not answer with a list`);
      items.push(...(answer as readonly unknown[]));
      if (answer.length < pageSize) return items;
    }
    return items;
  }

  private async fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(`${this.base}${path}`, {
        method,
        headers: {
          accept: "application/vnd.github+json",
          authorization: `Bearer ${this.token}`,
          "content-type": "application/json",
          "user-agent": "multiarch-mirror",
          "x-github-api-version": "2022-11-28",
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: "error",
        signal: AbortSignal.timeout(limitMs),
      });
    } catch (cause) {
      throw new GithubApiError(`${method} ${path} got no answer`, undefined, { cause });
    }
  }
}
