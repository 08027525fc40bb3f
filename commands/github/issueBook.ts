import { z } from "zod";
import type { GithubApi } from "./githubApi";

/** What an issue is to say. */
export interface WantedIssue {
  /** Says which issue it is; never shown. Letters, digits, dots, dashes, slashes, colons. */
  readonly key: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
}

const schema = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullable(),
  pull_request: z.unknown().optional(),
});

type Issue = z.output<typeof schema>;

/**
 * The open issues of one label that this project keeps, at most one per key. A key stands in a comment in the issue's body.
 * Only people who may set labels can make an issue that is taken for one of ours.
 */
export class IssueBook {
  private open: readonly Issue[] | undefined;

  /**
   * @param source where what is written comes from, Markdown; put under the text. An issue is not changed for its sake alone,
   * so it names the run that changed the issue last.
   */
  constructor(
    private readonly api: GithubApi,
    private readonly label: string,
    private readonly source?: string,
  ) {}

  /** Opens the issue, or changes the one there is. One that says the same already is left alone. @throws GithubApiError */
  async keep({ key, title, body }: WantedIssue): Promise<"opened" | "updated" | "unchanged"> {
    const said = `${body.trim()}\n\n${marker(key)}\n`;
    const text = this.source === undefined ? said : `${said}\n${this.source}\n`;
    const issue = await this.find(key);
    if (!issue) {
      await this.api.send("POST", "/issues", { title, body: text, labels: [this.label] });
      return "opened";
    }
    if (issue.title === title && says(issue.body ?? "", said)) return "unchanged";
    await this.api.send("PATCH", `/issues/${issue.number}`, { title, body: text });
    return "updated";
  }

  /** Closes the issue with a last word, if there is one. @throws GithubApiError */
  async close(key: string, word: string): Promise<boolean> {
    const issue = await this.find(key);
    if (!issue) return false;
    const body = this.source === undefined ? word : `${word}\n\n${this.source}`;
    await this.api.send("POST", `/issues/${issue.number}/comments`, { body });
    await this.api.send("PATCH", `/issues/${issue.number}`, { state: "closed", state_reason: "completed" });
    return true;
  }

  private async find(key: string): Promise<Issue | undefined> {
    this.open ??= await this.read();
    // The oldest one: should two runs ever have opened one each, both keep to the same.
    return this.open
      .filter(({ body }) => body?.includes(marker(key)))
      .toSorted((left, right) => left.number - right.number)[0];
  }

  private async read(): Promise<readonly Issue[]> {
    const items = await this.api.list(`/issues?state=open&labels=${encodeURIComponent(this.label)}`);
    // The list holds pull requests too.
    return items.map((item) => schema.parse(item)).filter((issue) => issue.pull_request === undefined);
  }
}

function marker(key: string): string {
  if (!/^[A-Za-z0-9._/:-]+$/.test(key)) throw new Error(`${JSON.stringify(key)} is not a key of an issue`);
  return `<!-- multiarch-mirror: ${key} -->`;
}

/** Whether an issue says that already, whatever comes after. GitHub stores line ends as they were sent by whoever edited last. */
function says(body: string, text: string): boolean {
  return body.replaceAll("\r\n", "\n").trim().startsWith(text.trim());
}
