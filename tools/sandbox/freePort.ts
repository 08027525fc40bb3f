import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { hasCode } from "../../components/model/reasonOf";

/**
 * Lets a server listen on a loopback port, 0 for any that is free, and gives it.
 * @throws the server's own error when it cannot.
 */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen({ host: "127.0.0.1", port });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/**
 * The first and the end of the ports below those that Linux (32768) and macOS (49152) give to whoever asks for any, connections
 * included: a port of these is free again for what listened there, however busy the machine is meanwhile.
 */
export const lastingPorts = [20_000, 30_000] as const;

/**
 * Lets a server listen on a free one of the {@link lastingPorts}, and gives it.
 * @throws the server's own error when it cannot.
 */
export async function listenLasting(server: Server): Promise<number> {
  for (;;) {
    try {
      return await listen(server, randomInt(...lastingPorts));
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
}

/** Whether a server cannot listen because another does. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, "EADDRINUSE");
}

/** One of the {@link lastingPorts} on which nobody listens right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenLasting(server);
  server.close();
  await once(server, "close");
  return port;
}
