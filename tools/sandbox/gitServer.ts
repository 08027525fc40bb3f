import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gitEnvironment } from "./gitRepository";
import { forgeReply, send } from "./releaseApi";

/** Longest header block `git http-backend` is expected to write. */
const headerLimit = 65_536;

/**
 * A read-only git server (smart HTTP) for the bare repositories in a folder: `http://host/NAME.git`.
 * Runs `git http-backend` as CGI (git-http-backend(1)); pushing is refused by its default configuration for anonymous users.
 * With a folder of releases it is a forge as well, with GitLab's and Gitea's lists of them.
 */
export function createGitServer(repositories: string, releases?: string): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
    const reply = releases === undefined ? undefined : forgeReply(url, releases);
    if (reply) return send(response, reply);
    // No run to an end with a result: it streams both ways, for as long as its request lasts.
    const backend = spawn("git", ["http-backend"], {
      env: { ...gitEnvironment(), ...cgiEnvironment(repositories, request, url) },
      stdio: ["pipe", "pipe", "ignore"],
    });
    response.once("close", () => backend.kill("SIGKILL"));
    backend.once("error", (error) => fail(response, `git cannot be run: ${error.message}`));
    // A backend that has read enough closes its input; that is no failure of the request.
    backend.stdin.on("error", () => request.resume());
    request.pipe(backend.stdin);
    relayCgi(backend.stdout, response);
  });
}

function cgiEnvironment(repositories: string, { method, headers }: IncomingMessage, url: URL): NodeJS.ProcessEnv {
  return {
    GIT_PROJECT_ROOT: repositories,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: method ?? "GET",
    CONTENT_TYPE: headers["content-type"] ?? "",
    ...(headers["content-length"] !== undefined && { CONTENT_LENGTH: headers["content-length"] }),
    ...(headers["content-encoding"] !== undefined && { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
    GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    REMOTE_ADDR: "127.0.0.1",
  };
}

/** Passes a CGI answer on: a header block, of which `Status` becomes the status line, then the body. */
function relayCgi(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (head.length > headerLimit) fail(response, "git http-backend sent no header");
      return;
    }
    output.removeListener("data", onData);
    const fields = head.toString("latin1", 0, end).split("\r\n");
    const headers = fields.map((field) => field.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name === "Status")?.[1] ?? "200";
    response.writeHead(Number.parseInt(status, 10), headers.filter(([name]) => name !== "Status").flat());
    response.write(head.subarray(end + 4));
    output.pipe(response);
  };
  output.on("data", onData);
  output.on("end", () => {
    if (!response.headersSent) fail(response, "git http-backend ended without an answer");
  });
}

function fail(response: ServerResponse, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(500, { "Content-Type": "text/plain" }).end(`sandbox git server: ${message}\n`);
}
