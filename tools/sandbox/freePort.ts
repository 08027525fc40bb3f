import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";

/**
 * Lets a server listen on a loopback port, 0 for any that is free, and gives it.
 * @throws the server's own error when it cannot.
 */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen({ host: "127.0.0.1", port });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A loopback port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}
