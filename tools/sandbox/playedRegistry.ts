import type { IncomingMessage } from "node:http";
import type { Answer } from "./exchange";
import type { RegistryProfile } from "./registryProfiles";

const indexType = "application/vnd.oci.image.index.v1+json";
const accepted = [
  indexType,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Lets the real registry behind the sandbox's proxy answer as another one would, where that differs. */
export class PlayedRegistry {
  /** Repositories an upload was begun in: they exist for whoever writes. */
  readonly #begun = new Set<string>();

  /** @param port where the real registry listens on this machine. */
  constructor(
    private readonly profile: RegistryProfile,
    private readonly port: number,
  ) {}

  /** The answer to send instead of forwarding the request, or nothing when the real one is right. */
  async check(request: IncomingMessage): Promise<Answer | undefined> {
    // A registry that does not answer is told by forwarding.
    return this.answer(request).catch(() => undefined);
  }

  private async answer({ method = "GET", url = "/" }: IncomingMessage): Promise<Answer | undefined> {
    const { pathname } = new URL(url, "http://localhost");
    const [, begun] = /^\/v2\/(.+)\/blobs\/uploads\//.exec(pathname) ?? [];
    if (begun !== undefined) this.#begun.add(begun);
    const [, repository = "", kind, name = ""] = /^\/v2\/(.+)\/(manifests|referrers)\/([^/]+)$/.exec(pathname) ?? [];
    if (kind === "referrers") return this.referrers();
    if (kind !== "manifests") return undefined;
    if (method === "GET" || method === "HEAD") return this.read(repository, name);
    return method === "PUT" ? this.write(repository, name) : undefined;
  }

  private referrers(): Answer | undefined {
    switch (this.profile.referrers) {
      case "api":
        return undefined;
      case "none":
        return { status: 404, body: "404 page not found\n" };
      case "redirect":
        return { status: 303, headers: { location: "/no/registry" } };
      case "empty":
        return {
          status: 200,
          headers: { "content-type": indexType },
          body: { schemaVersion: 2, mediaType: indexType, manifests: [] },
        };
      default:
        return this.profile.referrers satisfies never;
    }
  }

  private async read(repository: string, name: string): Promise<Answer | undefined> {
    const { noManifest, noRepository = noManifest, digestAsTag } = this.profile;
    if ((await this.ask("HEAD", `${repository}/manifests/${name}`)).status !== 404) return undefined;
    const [, hex] = /^sha256-([0-9a-f]{64})$/.exec(name) ?? [];
    if (digestAsTag && hex !== undefined) {
      const found = await this.ask("GET", `${repository}/manifests/sha256:${hex}`);
      if (found.status === 200)
        return { ...found, headers: { "docker-content-digest": `sha256:${hex}`, ...found.headers } };
    }
    const known = this.#begun.has(repository) || (await this.ask("GET", `${repository}/tags/list`)).status === 200;
    return (known ? noManifest : noRepository).answer;
  }

  private async write(repository: string, name: string): Promise<Answer | undefined> {
    const { immutable, latestMoves } = this.profile;
    if (immutable === undefined || name.startsWith("sha256:") || (latestMoves && name === "latest")) return undefined;
    return (await this.ask("HEAD", `${repository}/manifests/${name}`)).status === 200 ? immutable : undefined;
  }

  private async ask(method: string, path: string): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/v2/${path}`, { method, headers: { accept: accepted } });
    const body = await response.text();
    return { status: response.status, body, headers: { "content-type": response.headers.get("content-type") ?? "" } };
  }
}
