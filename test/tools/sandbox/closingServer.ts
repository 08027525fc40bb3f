import { request } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { loadCertificate } from "../../../tools/sandbox/certificate";
import { PolyglotServer } from "../../../tools/sandbox/polyglotServer";

/** Closes a server while one of its connections is being shut down. Nothing is left to do then, and this process ends. */
async function main([folder = ""]: readonly string[]): Promise<void> {
  const server = new PolyglotServer(await loadCertificate(folder), (_, response) => {
    response.setHeader("Connection", "close");
    response.end(() => void server.close());
  });
  const port = await server.listen();
  request({ port, host: "127.0.0.1" })
    .on("error", () => undefined)
    .end();
  await turn();
}

void main(process.argv.slice(2));
