import { randomUUID } from "node:crypto";
import { isLoopback } from "../../components/model/reference";
import { reasonOf } from "../../components/model/reasonOf";
import type { Notice } from "./notices";

/** Whom a webhook belongs to: what its messages look like. `json`: whoever reads JSON. */
type Shape = "json" | "ntfy" | "slack" | "discord" | "matrix";

/** Where notices are sent. Its address may be a secret. */
export interface Webhook {
  readonly shape: Shape;
  readonly url: URL;
}

/** What {@link parseWebhook} takes, to complete "accepted is …". */
export const acceptedWebhook =
  "an https address (http on loopback only), with ntfy+, slack+, discord+ or matrix+ in front where its host does not say whose it is";

const hosts: Readonly<Record<string, Shape>> = {
  "ntfy.sh": "ntfy",
  "hooks.slack.com": "slack",
  "discord.com": "discord",
  "discordapp.com": "discord",
};

/** Reads the address of a webhook, or answers undefined. */
export function parseWebhook(text: string): Webhook | undefined {
  const [, prefix, address = ""] = /^(?:(ntfy|slack|discord|matrix)\+)?(https?:\/\/\S+)$/.exec(text) ?? [];
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.protocol !== "https:" && !isLoopback(url.hostname)) return undefined;
  const shape = (prefix as Shape | undefined) ?? hosts[url.hostname] ?? "json";
  return { shape, url };
}

/** One message as it is sent. */
export interface WebhookRequest {
  readonly method: "POST" | "PUT";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * Bytes of a text, below what each takes: ntfy makes a file of more than 4096 (its release 1.11.0), Discord refuses more than 2000
 * characters, Slack asks for 4000 characters at most and cuts at 40,000, an event of Matrix has 65,536 bytes in all.
 */
const longest: Readonly<Record<Shape, number>> = {
  json: 20_000,
  ntfy: 3500,
  slack: 3500,
  discord: 1900,
  matrix: 20_000,
};

/** @param run where the log of the run is; undefined: nobody knows. */
export function webhookRequest({ shape, url }: Webhook, notice: Notice, run?: string): WebhookRequest {
  const text = shortened(
    [notice.title, ...notice.lines.map((line) => `- ${line}`), ...(run ? [run] : [])],
    longest[shape],
  );
  const { username, password } = url;
  const address = new URL(url);
  address.username = address.password = "";
  const authorization = password
    ? `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`
    : `Bearer ${decodeURIComponent(username)}`;
  const headers = {
    "content-type": "application/json",
    "user-agent": "multiarch-mirror",
    ...(username && { authorization }),
  };
  const post = (body: unknown, to = address): WebhookRequest => ({ method: "POST", url: to.href, headers, body });
  switch (shape) {
    case "json":
      return post({ ...notice, text, ...(run && { run }) });
    case "ntfy": {
      // Published as JSON, a message goes to the server's root and names its topic.
      const topic = decodeURIComponent(address.pathname.split("/").filter(Boolean).at(-1) ?? "");
      const tags = { failure: ["rotating_light"], recovery: ["white_check_mark"], publication: ["package"] };
      const message = shortened([...notice.lines, ...(notice.lines.length === 0 ? [notice.title] : [])], longest.ntfy);
      const priority = notice.event === "failure" ? 4 : 3;
      const body = {
        topic,
        title: notice.title,
        message,
        tags: tags[notice.event],
        priority,
        ...(run && { click: run }),
      };
      return post(body, new URL("/", address));
    }
    case "slack":
      return post({ text: text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;") });
    case "discord":
      return post({ content: text, allowed_mentions: { parse: [] } });
    case "matrix": {
      // https://TOKEN@homeserver/!room:server
      const room = encodeURIComponent(decodeURIComponent(address.pathname.slice(1)));
      const path = `/_matrix/client/v3/rooms/${room}/send/m.room.message/${randomUUID()}`;
      return { ...post({ msgtype: "m.text", body: text }, new URL(path, address)), method: "PUT" };
    }
    default:
      return shape satisfies never;
  }
}

function shortened(lines: readonly string[], mostBytes: number): string {
  const text = lines.join("\n");
  const bytes = Buffer.from(text);
  if (bytes.length <= mostBytes) return text;
  // A character that is cut in half is left out.
  return `${new TextDecoder().decode(bytes.subarray(0, mostBytes - 3), { stream: true })}…`;
}

const limitMs = 30_000;

const mostTries = 3;
const longestPauseSeconds = 60;

/** There was no answer at all. */
class SilenceError extends Error {}

/**
 * Sends notices, one after the other. A service that gives no answer to one is not asked to take the others of the run.
 * @returns those that were not sent, each with the reason.
 */
export async function sendNotices(
  webhook: Webhook,
  notices: readonly Notice[],
  run?: string,
): Promise<ReadonlyMap<Notice, string>> {
  const unsent = new Map<Notice, string>();
  let silence: string | undefined;
  for (const notice of notices) {
    if (silence !== undefined) unsent.set(notice, silence);
    else
      await sendNotice(webhook, notice, run).catch((error: unknown) => {
        unsent.set(notice, reasonOf(error));
        if (error instanceof SilenceError) silence = reasonOf(error);
      });
  }
  return unsent;
}

/**
 * Sends one notice, again when there are too many at once or the service is in trouble.
 * @throws Error that names the host and not the address, which may be a secret.
 */
export async function sendNotice(webhook: Webhook, notice: Notice, run?: string): Promise<void> {
  const request = webhookRequest(webhook, notice, run);
  const where = `the ${webhook.shape} webhook at ${webhook.url.host}`;
  for (let tries = 1; ; tries++) {
    const response = await post(request, where);
    await response.body?.cancel();
    if (response.ok) return;
    const mayPass = response.status === 429 || response.status >= 500;
    if (!mayPass || tries === mostTries) throw new Error(`${where} answered ${response.status}`);
    const asked = Number(response.headers.get("retry-after") ?? 2 * tries);
    const seconds = asked >= 0 ? Math.min(asked, longestPauseSeconds) : 2 * tries;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

async function post({ method, url, headers, body }: WebhookRequest, where: string): Promise<Response> {
  return fetch(url, {
    ...{ method, headers, body: JSON.stringify(body), redirect: "error" as const },
    signal: AbortSignal.timeout(limitMs),
  }).catch((cause: unknown) => {
    const isOver = cause instanceof Error && cause.name === "TimeoutError";
    const why = isOver
      ? ` within ${limitMs / 1000} s`
      : `: ${reasonOf(cause instanceof Error ? (cause.cause ?? cause) : cause)}`;
    throw new SilenceError(`${where} gave no answer${why}`, { cause });
  });
}
