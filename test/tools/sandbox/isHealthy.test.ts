import { createServer } from "node:net";
import { expect, it } from "vitest";
import { listen } from "../../../tools/sandbox/freePort";
import { isHealthy } from "../../../tools/sandbox/isHealthy";

// One test, as only the first question of a process meets it.
it("takes a connection that is closed at once for no answer, and finds the server healthy when it answers", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    if (connections === 1) socket.destroy();
    else socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
  });
  const url = `http://127.0.0.1:${await listen(server)}/v2/`;
  try {
    expect(await isHealthy(url)).toBe(false);
    expect(await isHealthy(url)).toBe(true);
    expect(connections).toBe(2);
  } finally {
    server.close();
  }
});
