import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { takeLock } from "../../components/system/lock";
import { Child } from "../sandbox/child";
import { freePort } from "../sandbox/freePort";
import { isHealthy } from "../sandbox/isHealthy";
import { ensureTools, type Toolchain } from "../toolchain/ensureTools";
import type { ToolName } from "../toolchain/tool";
import { type AuthorityFiles, makeAuthorities, rootPassword } from "./authorities";
import { fulcioConfiguration } from "./fulcioConfiguration";
import { TokenIssuer } from "./tokenIssuer";

/** The services of a private Sigstore: certificates, their log, time stamps, the log of signatures. */
export const services = [
  "fulcio",
  "tesseract",
  "timestamp-server",
  "rekor-server",
] as const satisfies readonly ToolName[];

/** One of them. */
export type Service = (typeof services)[number];

type Ports = Readonly<Record<Service | "issuer" | "spare", number>>;

const execute = promisify(execFile);
const start = "2020-01-01T00:00:00Z";

/**
 * A Sigstore of one's own on loopback, for runs shaped like GitHub's: Fulcio with a log of its certificates, a timestamp authority,
 * Rekor, and the issuer of tokens. Every service can be stopped and started again, with all it knows.
 */
export class PrivateSigstore {
  readonly #running = new Map<Service, Child>();

  private constructor(
    readonly folder: string,
    readonly issuer: TokenIssuer,
    private readonly ports: Ports,
    private readonly files: AuthorityFiles,
    private readonly programs: Toolchain["programs"],
    private readonly release: () => void,
  ) {}

  /**
   * Waits until no other runs: the port of the timestamp authority's metrics cannot be chosen, so a machine has room for one.
   * @param folder where it keeps everything; begun anew.
   */
  static async start(folder: string): Promise<PrivateSigstore> {
    const lock = path.join(tmpdir(), "multiarch-mirror-sigstore");
    let release = takeLock(lock);
    for (; !release; release = takeLock(lock)) await sleep(1_000);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const { programs } = await ensureTools([...services, "cosign"]);
    const names = [...services, "issuer", "spare"] as const;
    const free = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
    const ports = Object.fromEntries(free) as Ports;
    const issuer = await new TokenIssuer().start(ports.issuer);
    const files = await makeAuthorities(path.join(folder, "authorities"));
    const sigstore = new PrivateSigstore(folder, issuer, ports, files, programs, release);
    writeFileSync(sigstore.#in("fulcio.yaml"), stringify(fulcioConfiguration(issuer.url)));
    for (const service of ["tesseract", "fulcio", "timestamp-server", "rekor-server"] as const)
      await sigstore.up(service);
    await sigstore.#describe();
    return sigstore;
  }

  /** The stack config's `signingConfig`. */
  get signingConfig(): string {
    return this.#in("signing-config.json");
  }

  /** The stack config's `trustedRoot`. */
  get trustedRoot(): string {
    return this.#in("trusted-root.json");
  }

  /** Starts a service that does not run. */
  async up(service: Service): Promise<void> {
    const program = this.programs.get(service);
    if (program === undefined) throw new Error(`no program for ${service}`);
    const { args, health } = this.#service(service);
    const child = Child.start({ name: service, command: program, args, log: this.#in(`${service}.log`) });
    this.#running.set(service, child);
    await child.ready(() => isHealthy(health), 60_000, 100);
  }

  /** Stops a service: nobody listens at its address any more. */
  async down(service: Service): Promise<void> {
    await this.#running.get(service)?.stop("SIGTERM", 5_000);
    this.#running.delete(service);
  }

  async stop(): Promise<void> {
    await Promise.all(services.map((service) => this.down(service)));
    await this.issuer.stop();
    this.release();
  }

  #service(service: Service): { readonly args: readonly string[]; readonly health: string } {
    const { ports, files } = this;
    const port = String(ports[service]);
    const url = this.#url(service);
    switch (service) {
      case "fulcio":
        rmSync(this.#in("fulcio.sock"), { force: true });
        return {
          args: [
            ...["serve", "--host", "127.0.0.1", "--port", port, "--grpc-host", "127.0.0.1", "--grpc-port", "0"],
            ...["--metrics-port", "0", "--legacy-unix-domain-socket", this.#in("fulcio.sock"), "--ca", "fileca"],
            ...["--fileca-cert", files.root, "--fileca-key", files.rootKey, "--fileca-key-passwd", rootPassword],
            ...["--ct-log-url", this.#url("tesseract"), "--config-path", this.#in("fulcio.yaml")],
          ],
          health: `${url}/api/v2/trustBundle`,
        };
      case "tesseract":
        return {
          args: [
            ...["--private_key", files.logKey, "--origin", "log.keyless.test", "--storage_dir", this.#in("log")],
            ...["--roots_pem_file", files.root, "--ext_key_usages", "CodeSigning"],
            ...["--http_endpoint", `127.0.0.1:${port}`],
          ],
          health: `${url}/ct/v1/get-roots`,
        };
      case "timestamp-server":
        return {
          args: [
            ...["serve", "--host", "127.0.0.1", "--port", port, "--timestamp-signer", "file"],
            ...["--file-signer-key-path", files.stampKey, "--file-signer-passwd", ""],
            ...["--certificate-chain-path", files.stampChain, "--disable-ntp-monitoring"],
          ],
          health: `${url}/ping`,
        };
      case "rekor-server":
        return {
          args: [
            ...["serve", "--http-address", "127.0.0.1", "--http-port", port, "--grpc-port", String(ports.spare)],
            ...["--http-metrics-port", "0", "--hostname", "127.0.0.1", "--storage-dir", this.#in("rekor")],
            ...["--signer-filepath", files.transparencyKey, "--checkpoint-interval", "1s", "--batch-max-age", "100ms"],
          ],
          health: `${url}/healthz`,
        };
    }
    service satisfies never;
  }

  /** Writes what cosign reads: where the services are, and what they sign with. */
  async #describe(): Promise<void> {
    const cosign = this.programs.get("cosign") ?? "cosign";
    const at = (service: Service, suffix = "") => `url=${this.#url(service)}${suffix}`;
    const since = `start-time=${start},operator=keyless.test`;
    const stamps = "/api/v1/timestamp";
    await execute(cosign, [
      ...["signing-config", "create", "--out", this.signingConfig],
      ...[`--fulcio=${at("fulcio")},api-version=1,${since}`],
      ...[`--tsa=${at("timestamp-server", stamps)},api-version=1,${since}`, "--tsa-config=ANY"],
      ...[`--rekor=${at("rekor-server")},api-version=2,${since}`, "--rekor-config=ANY"],
    ]);
    const { root, logPublicKey, stampChain, transparencyPublicKey } = this.files;
    await execute(cosign, [
      ...["trusted-root", "create", "--out", this.trustedRoot],
      `--fulcio=${at("fulcio")},certificate-chain=${root}`,
      `--ctfe=${at("tesseract")},public-key=${logPublicKey},start-time=${start},origin=log.keyless.test`,
      `--tsa=${at("timestamp-server", stamps)},certificate-chain=${stampChain}`,
      // The origin in Rekor's checkpoints is the host's name of its address.
      `--rekor=${at("rekor-server")},public-key=${transparencyPublicKey},start-time=${start},origin=127.0.0.1`,
    ]);
  }

  #url(service: Service): string {
    return `http://127.0.0.1:${this.ports[service]}`;
  }

  #in(name: string): string {
    return path.join(this.folder, name);
  }
}
