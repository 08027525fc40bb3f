import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { isTaken, listen, listenLasting } from "./freePort";

/** First byte of a TLS record that carries a ClientHello. */
const tlsHandshake = 0x16;

/** Long enough that no client ever finds a pooled connection closed under it. */
const keepAliveTimeoutMs = 600_000;

/**
 * An HTTP/1.1 server on one loopback port that speaks TLS to clients that do and plain HTTP to the others; the first byte of a
 * connection decides. BuildKit and buildx talk plain HTTP to `localhost`, the docker-build provider always HTTPS.
 */
export class PolyglotServer {
  private readonly sockets = new Set<Socket>();
  private readonly plain: HttpServer;
  private readonly secure: HttpsServer;
  private listener: Server | undefined;
  /** The port, 0 before the first `listen`. */
  port = 0;

  constructor(certificate: { readonly key: string; readonly cert: string }, handler: RequestListener) {
    this.plain = createHttpServer(handler);
    this.secure = createHttpsServer({ ...certificate, ALPNProtocols: ["http/1.1"] }, handler);
    for (const server of [this.plain, this.secure]) {
      server.keepAliveTimeout = keepAliveTimeoutMs;
      server.headersTimeout = 0;
      server.requestTimeout = 0;
    }
  }

  /** Listens on the preferred port of 127.0.0.1 or, when that is taken, on a free one. Listening again keeps the port. */
  async listen(preferredPort = this.port): Promise<number> {
    const listener = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => this.accept(socket));
    const port = await (preferredPort === 0 ? listenLasting(listener) : this.listenAgain(listener, preferredPort));
    this.listener = listener;
    this.port = port;
    return port;
  }

  private listenAgain(listener: Server, port: number): Promise<number> {
    return listen(listener, port).catch((error: unknown) => {
      if (isTaken(error) && this.port === 0) return listenLasting(listener);
      throw error;
    });
  }

  /**
   * Refuses new connections and breaks the open ones off. It resets none: to reset a connection that is being shut down fails, and
   * leaves a handle for which Node waits in vain when the process ends.
   */
  async close(): Promise<void> {
    const listener = this.listener;
    this.listener = undefined;
    const closed = new Promise<void>((resolve) => (listener ? listener.close(() => resolve()) : resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    // A reset by the client is its own business; the request, if any, is logged as aborted.
    socket.on("error", () => socket.destroy());
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      const server = first[0] === tlsHandshake ? this.secure : this.plain;
      server.emit("connection", socket);
      // The HTTP parser reads from the socket's handle directly and would wait for ever on a paused one.
      process.nextTick(() => socket.resume());
    });
  }
}
