import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";

/** What browsers have to be told; anything else is bytes. */
const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".xml": "application/xml",
};

/**
 * A static file server for one folder: GET and HEAD, single byte ranges (RFC 9110, 14), an ETag that changes with the file.
 * A folder with a slash at its end answers with its `index.json`, as package indexes do; other folders and anything outside answer 404.
 */
export function createFileServer(folder: string): Server {
  return createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(folder, normalize(path.endsWith("/") ? `${path}index.json` : path));
    stat(file).then(
      (info) => {
        if (!info.isFile()) return void response.writeHead(404).end();
        const headers = {
          "Content-Type": types[extname(file)] ?? "application/octet-stream",
          "Accept-Ranges": "bytes",
          ETag: `"${info.size.toString(16)}-${Math.round(info.mtimeMs).toString(16)}"`,
          "Last-Modified": info.mtime.toUTCString(),
        };
        const range = parseRange(request.headers.range, info.size);
        if (range === "unsatisfiable")
          return void response.writeHead(416, { "Content-Range": `bytes */${info.size}` }).end();
        const { start, end } = range ?? { start: 0, end: info.size - 1 };
        const partial = range && { "Content-Range": `bytes ${start}-${end}/${info.size}` };
        response.writeHead(range ? 206 : 200, { ...headers, ...partial, "Content-Length": end - start + 1 });
        if (request.method === "HEAD" || end < start) return void response.end();
        createReadStream(file, { start, end })
          .on("error", () => response.destroy())
          .pipe(response);
      },
      () => response.writeHead(404, { "Content-Type": "text/plain" }).end("no such file\n"),
    );
  });
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Several ranges at once are answered with the whole file, as the specification allows. */
function parseRange(header: string | undefined, size: number): Range | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? "unsatisfiable" : { start, end };
}
