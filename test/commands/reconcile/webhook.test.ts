import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { Notice } from "../../../commands/reconcile/notices";
import { parseWebhook, sendNotice, sendNotices, webhookRequest } from "../../../commands/reconcile/webhook";

const failure: Notice = {
  event: "failure",
  app: "app",
  title: "app is not complete (prod)",
  lines: ["1.1.0: <no> @here"],
};
const run = "https://github.example/o/r/actions/runs/7";
const told = `app is not complete (prod)\n- 1.1.0: <no> @here\n${run}`;

function request(address: string, notice: Notice = failure) {
  const webhook = parseWebhook(address);
  if (!webhook) throw new Error(`${address} is not accepted`);
  return webhookRequest(webhook, notice, run);
}

describe("a message to a webhook", () => {
  it("is JSON with all there is, for whoever reads that", () => {
    expect(request("https://hooks.example/mirror?key=secret")).toMatchObject({
      ...{ method: "POST", url: "https://hooks.example/mirror?key=secret" },
      body: { ...failure, text: told, run },
    });
  });

  it("is as ntfy publishes JSON: at the server's root, by topic", () => {
    const expected = {
      ...{ method: "POST", url: "https://ntfy.example/", headers: { authorization: "Bearer tk_1" } },
      body: {
        ...{ topic: "mirror", title: failure.title, message: "1.1.0: <no> @here", priority: 4 },
        ...{ tags: ["rotating_light"], click: run },
      },
    };
    expect(request("ntfy+https://tk_1@ntfy.example/mirror")).toMatchObject(expected);
    const recovery: Notice = { event: "recovery", app: "app", title: "app is complete again (prod)", lines: [] };
    expect(request("https://ntfy.sh/mirror", recovery)).toMatchObject({
      url: "https://ntfy.sh/",
      body: { topic: "mirror", message: recovery.title, priority: 3 },
    });
  });

  it("is as Slack's incoming webhooks take it, without live markup", () => {
    expect(request("https://hooks.slack.com/services/T/B/x").body).toEqual({
      text: told.replace("<no>", "&lt;no&gt;"),
    });
  });

  it("is as Discord's webhooks take it, short enough and mentioning nobody", () => {
    const long = {
      ...failure,
      lines: Array.from({ length: 100 }, (_, number) => `1.${number}.0: it failed for a reason`),
    };
    const { body } = request("https://discord.com/api/webhooks/1/x", long);
    expect(body).toMatchObject({ allowed_mentions: { parse: [] } });
    expect((body as { content: string }).content.length).toBeLessThanOrEqual(2000);
    expect(request("discord+https://discord.example/api/webhooks/1/x").body).toMatchObject({ content: told });
  });

  it("is an event of Matrix's client API in the room, with a transaction of its own", () => {
    const sent = [1, 2].map(() => request("matrix+https://syt_x@matrix.example/!room:matrix.example"));
    expect(sent[0]).toMatchObject({
      ...{ method: "PUT", headers: { authorization: "Bearer syt_x" }, body: { msgtype: "m.text", body: told } },
    });
    const path = "https://matrix.example/_matrix/client/v3/rooms/!room%3Amatrix.example/send/m.room.message/";
    expect(sent.every(({ url }) => url.startsWith(path) && !url.includes("syt_x"))).toBe(true);
    expect(sent[0]?.url).not.toBe(sent[1]?.url);
  });
});

describe("the address of a webhook", () => {
  it.each(["http://hooks.example/x", "ftp://hooks.example/x", "hooks.example/x", "irc+https://hooks.example/x", ""])(
    "is not %s",
    (address) => {
      expect(parseWebhook(address)).toBeUndefined();
    },
  );

  it("is not told when there is trouble, as it may be a secret", async () => {
    const requests: string[] = [];
    const server = createServer((incoming, answer) => {
      void text(incoming).then((body) => {
        requests.push(`${incoming.method} ${incoming.url} ${body}`);
        answer.statusCode = requests.length === 1 ? 200 : 403;
        answer.end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const webhook = parseWebhook(`slack+http://${host}/secret`);
    if (!webhook) throw new Error("it is not accepted");
    await sendNotice(webhook, failure);
    expect(requests).toEqual([`POST /secret {"text":"app is not complete (prod)\\n- 1.1.0: &lt;no&gt; @here"}`]);
    await expect(sendNotice(webhook, failure)).rejects.toThrow(`the slack webhook at ${host} answered 403`);
    server.close();
    await once(server, "close");
    const gone = await sendNotice(webhook, failure).catch((error: unknown) => String(error));
    expect(gone).toMatch(/^Error: the slack webhook at 127\.0\.0\.1:\d+ gave no answer: /);
    expect(gone).not.toContain("secret");
  });
});

describe("a webhook in trouble", () => {
  const send = async (...statuses: readonly number[]) => {
    let asked = 0;
    const server = createServer((incoming, answer) => {
      incoming.resume();
      answer.writeHead(statuses[asked++] ?? 200, { "retry-after": "0", location: "/elsewhere" }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const webhook = parseWebhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`);
    if (!webhook) throw new Error("it is not accepted");
    const ended = await sendNotice(webhook, failure).then(
      () => "told",
      (error: unknown) => String(error),
    );
    server.close();
    return { ended, asked };
  };

  it("is asked again when there were too many messages, or it does not work, three times in all", async () => {
    expect(await send(429, 503, 200)).toEqual({ ended: "told", asked: 3 });
    expect(await send(500, 502, 503, 200)).toMatchObject({
      ended: expect.stringContaining("answered 503") as string,
      asked: 3,
    });
  });

  it("is not asked again when it refuses, and not followed elsewhere", async () => {
    expect(await send(400, 200)).toMatchObject({ ended: expect.stringContaining("answered 400") as string, asked: 1 });
    expect(await send(307, 200)).toMatchObject({
      ended: expect.stringContaining("gave no answer") as string,
      asked: 1,
    });
  });
});

it("counts bytes, of which a letter may have several, and cuts none in half", () => {
  const long: Notice = { ...failure, lines: Array.from({ length: 400 }, () => "1.0.0: ошибка сборки 失敗") };
  const { message } = request("https://ntfy.sh/topic", long).body as { message: string };
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(3500);
  expect(Buffer.byteLength(message)).toBeGreaterThan(3400);
  expect(message).not.toContain("\ufffd");
});

it("goes to a service that gives no answer once in a run, and every one to a service that refuses some", async () => {
  let asked = 0;
  let answers = false;
  const server = createServer((_, response) => {
    asked += 1;
    if (answers) response.writeHead(400).end();
    else response.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const webhook = parseWebhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  if (!webhook) throw new Error("the address is not accepted");
  const notices = ["one", "two", "three"].map((app): Notice => ({ ...failure, app }));
  const unsent = async (): Promise<readonly string[]> =>
    [...(await sendNotices(webhook, notices))].map(([{ app }, why]) => `${app}: ${why.replace(/^.*:\d+ /, "")}`);
  expect(await unsent()).toEqual(["one", "two", "three"].map((app) => `${app}: gave no answer: other side closed`));
  expect(asked).toBe(1);
  answers = true;
  expect(await unsent()).toEqual(["one: answered 400", "two: answered 400", "three: answered 400"]);
  expect(asked).toBe(4);
  server.close();
});
