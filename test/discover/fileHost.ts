import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../components/system/clock";

/** A host of files on loopback. Answers by path, and notes `METHOD path` of every request. */
export class FileHost {
  readonly asked: string[] = [];
  readonly answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  readonly #server = createServer((request, response) => {
    this.asked.push(`${request.method} ${request.url}`);
    const answer = this.answers.get(request.url ?? "");
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** Answers a path the same whatever the method; a pair answers HEAD and GET differently. */
  status(path: string, head: number, get = head, headers: Record<string, string> = {}): string {
    this.answers.set(path, (request, response) => {
      response.writeHead(request.method === "HEAD" ? head : get, headers).end();
    });
    return this.url(path);
  }

  body(path: string, body: string | Buffer): string {
    this.answers.set(path, (_request, response) =>
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(body),
    );
    return this.url(path);
  }
}

/** A clock on which waiting takes no time. */
export function hastyClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
}
