import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { listen } from "./freePort";

/** How clients reach a sandbox's registry. */
export interface RegistryAddress {
  /** Registry part of a reference: `localhost:5000`, `registry.example.test`, `docker.io`. */
  readonly registry: string;
  /** Key of its credentials in Docker's configuration. */
  readonly credentials: string;
  /** Hosts its certificate has to name beside this machine's. */
  readonly hosts: readonly string[];
}

/** The address of a registry on a loopback port, or, under a name, on the usual port of HTTPS. */
export function registryAddress(name: string | undefined, port: number): RegistryAddress {
  const registry = name ?? `localhost:${port}`;
  if (name !== "docker.io") return { registry, credentials: registry, hosts: name === undefined ? [] : [name] };
  return { registry, credentials: "https://index.docker.io/v1/", hosts: ["registry-1.docker.io", "index.docker.io"] };
}

/** A proxy that leads hosts to a port of this machine, so that their names need no entry anywhere. */
export interface NameProxy {
  /** For HTTPS_PROXY. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Opens a proxy on a free loopback port; hosts it does not know are reached as they are. Source: RFC 9110, 9.3.6 (CONNECT). */
export async function openNameProxy(hosts: readonly string[], target: number): Promise<NameProxy> {
  const server = createServer((_, response) => void response.writeHead(405).end());
  const sockets = new Set<Duplex>();
  server.on("connect", (request, client, head) => {
    const { hostname, port } = new URL(`https://${request.url}`);
    const upstream = hosts.includes(hostname) ? connect(target, "127.0.0.1") : connect(Number(port || 443), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}`, close };
}
