import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { LoopbackServer } from "../../support/loopbackServer";

/** An issue as the stand-in keeps it. */
export interface FakeIssue {
  readonly number: number;
  title: string;
  body: string | null;
  labels: readonly string[];
  state: string;
  comments: string[];
  pull_request?: object;
}

/** A run of mirror.yml as the stand-in lists it. */
export interface FakeRun {
  readonly created_at: string;
  readonly conclusion: string | null;
  readonly event: string;
  readonly head_branch: string;
}

/** A stand-in for the few calls of GitHub's REST API the project makes, on loopback. */
export class FakeGithub extends LoopbackServer {
  readonly issues: FakeIssue[] = [];
  readonly requests: string[] = [];
  runs: readonly FakeRun[] = [];
  /** State of each workflow, by file name. */
  readonly workflows = new Map([
    ["mirror.yml", "active"],
    ["heartbeat.yml", "active"],
  ]);
  /** Answered to every request while it is set. */
  trouble: { readonly status: number; readonly body: string } | undefined;

  private constructor(readonly repository: string) {
    super();
  }

  static async start(repository = "acme/mirror"): Promise<FakeGithub> {
    return new FakeGithub(repository).start();
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await text(request);
    const url = new URL(request.url ?? "", "http://localhost");
    this.requests.push(`${request.method} ${url.pathname}`);
    const body = sent === "" ? {} : (JSON.parse(sent) as Partial<FakeIssue>);
    const answer =
      request.headers.authorization === "Bearer secret"
        ? (this.trouble ?? this.answer(request.method ?? "", url, body))
        : { status: 401, body: '{"message":"Bad credentials"}' };
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  }

  /** What a job of GitHub Actions has in its environment. */
  get environment(): Readonly<Record<string, string>> {
    return {
      GITHUB_API_URL: `http://127.0.0.1:${this.port}`,
      GITHUB_REPOSITORY: this.repository,
      GITHUB_TOKEN: "secret",
    };
  }

  /** Puts an issue there that somebody else opened. */
  add(fields: Partial<FakeIssue>): FakeIssue {
    const number = this.issues.length + 1;
    const issue = { number, title: "", body: "", labels: [], state: "open", comments: [], ...fields };
    this.issues.push(issue);
    return issue;
  }

  private answer(method: string, url: URL, body: Partial<FakeIssue>): { status: number; body: string } {
    const path = url.pathname.replace(`/repos/${this.repository}`, "");
    const json = (value: unknown, status = 200) => ({ status, body: JSON.stringify(value) });
    if (method === "GET" && path === "/issues") return json(this.page(url.searchParams));
    if (method === "POST" && path === "/issues") return json(this.add(body), 201);
    if (method === "GET" && path === "") return json({ default_branch: "main" });
    const [, workflow = "", rest = ""] = /^\/actions\/workflows\/([\w.]+)(\/\w+)?$/.exec(path) ?? [];
    const state = this.workflows.get(workflow);
    if (method === "GET" && rest === "" && state !== undefined) return json({ path, state });
    if (method === "PUT" && rest === "/enable" && state !== undefined) {
      this.workflows.set(workflow, "active");
      return { status: 204, body: "" };
    }
    if (method === "GET" && rest === "/runs" && workflow === "mirror.yml")
      return json({ workflow_runs: this.runs.filter((run) => asked(run, url.searchParams)) });
    const [, number, comments] = /^\/issues\/(\d+)(\/comments)?$/.exec(path) ?? [];
    const issue = this.issues.find((candidate) => candidate.number === Number(number));
    if (!issue) return json({ message: "Not Found" }, 404);
    if (method === "POST" && comments) issue.comments.push(body.body ?? "");
    else Object.assign(issue, body);
    return json(issue);
  }

  private page(query: URLSearchParams): readonly FakeIssue[] {
    const size = Number(query.get("per_page"));
    const from = (Number(query.get("page")) - 1) * size;
    const label = query.get("labels") ?? "";
    return this.issues
      .filter(({ state, labels }) => state === query.get("state") && labels.includes(label))
      .slice(from, from + size);
  }
}

/** GitHub leaves out what the query does not ask for; `status` may be a conclusion, too. */
function asked({ event, head_branch: branch, conclusion }: FakeRun, query: URLSearchParams): boolean {
  const wanted = (name: string, value: string): boolean => (query.get(name) ?? value) === value;
  const completed = query.get("status") !== "completed" || conclusion !== null;
  return wanted("event", event) && wanted("branch", branch) && completed;
}
