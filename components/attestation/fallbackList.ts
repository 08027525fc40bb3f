import { z } from "zod";
import type { Digest } from "../plan/digest";
import { parseReference } from "../plan/reference";
import { answerError } from "../registry/answerError";
import { Authenticator } from "../registry/authenticator";
import { systemClock } from "../registry/clock";
import { Connections } from "../registry/connections";
import { DockerCredentials } from "../registry/dockerCredentials";
import { Endpoints } from "../registry/endpoints";
import type { RegistryClient } from "../registry/registryClient";
import { Transport, type TransportRequest } from "../registry/transport";

const tryMs = 30_000;
const budgetMs = 60_000;
const longestAnswer = 64 * 1024;
const listSchema = z.looseObject({ manifests: z.array(z.looseObject({ digest: z.string() })) });
/** The transport carries any method; its type names those of readers. */
const put = "PUT" as string as TransportRequest["method"];

/**
 * The list of referrers that clients keep under the tag `sha256-<hex>` where a registry has no referrers API.
 * Deleting a referrer leaves its entry there, and a registry that checks what an index lists (distribution does) then
 * refuses every further signature. The one write of this project besides those of its tools: it takes such entries out.
 */
export class FallbackList {
  readonly #client: Pick<RegistryClient, "manifest">;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(client: Pick<RegistryClient, "manifest">, environment: NodeJS.ProcessEnv) {
    this.#client = client;
    this.#environment = environment;
  }

  /**
   * Takes entries out of a digest's list, each only if its manifest is still absent. All else stays as it is.
   * To be called under the digest's lock.
   * @throws RegistryError when the registry refuses or gives no usable answer.
   */
  async prune(repository: string, digest: Digest, entries: readonly Digest[]): Promise<void> {
    const tag = digest.replace(":", "-");
    const found = await this.#client.manifest(`${repository}:${tag}`);
    if (found?.kind !== "index") return;
    const present = await Promise.all(entries.map((entry) => this.#client.manifest(`${repository}@${entry}`)));
    const gone = new Set<string>(entries.filter((_, position) => present[position] === undefined));
    const list = listSchema.parse(JSON.parse(found.bytes.toString("utf8")));
    const kept = list.manifests.filter((entry) => !gone.has(entry.digest));
    if (kept.length === list.manifests.length) return;
    await this.#write(repository, tag, found.mediaType, JSON.stringify({ ...list, manifests: kept }));
  }

  async #write(name: string, tag: string, mediaType: string, body: string): Promise<void> {
    const { registry, repository } = parseReference(name);
    const connections = new Connections(this.#environment, tryMs);
    try {
      const limits = { concurrency: 1, retryBudgetMs: budgetMs, requestTimeoutMs: tryMs };
      const transport = new Transport({ connections, clock: systemClock, ...limits });
      const endpoint = await new Endpoints(transport, new Map()).for(registry);
      const url = new URL(`/v2/${repository}/manifests/${tag}`, endpoint.origin);
      const authenticator = new Authenticator(transport, new DockerCredentials(this.#environment), systemClock);
      const headers = { "content-type": mediaType };
      const answer = await authenticator.send(endpoint, repository, {
        method: put,
        url,
        headers,
        body,
        bodyLimit: longestAnswer,
      });
      if (answer.status !== 201 && answer.status !== 200) throw answerError(`list of referrers ${name}:${tag}`, answer);
    } finally {
      await connections.close();
    }
  }
}
