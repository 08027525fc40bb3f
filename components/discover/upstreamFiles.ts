import { cacheDirectory } from "../system/cacheDirectory";
import type { AppSpecification, BuildTarget } from "../model/appSpecification";
import type { Digest } from "../model/digest";
import { resolveChecksums } from "./fileChecksums";
import { probeFiles } from "./requiredFiles";
import { reasonOf } from "../model/reasonOf";
import { type Clock, systemClock } from "../system/clock";
import { Connections } from "../registry/connections";
import { PrivateHosts } from "../registry/privateHosts";
import { Transport } from "../registry/transport";

/** Answers about the files an app's builds fetch. */
export interface UpstreamFiles {
  /** Whether all files of a platform are there. Never rejects. */
  readonly offer: (specification: AppSpecification, target: BuildTarget) => Promise<Offer>;
  /** Checksum of each file by URL. Rejects when one that is asked for cannot be had. */
  readonly checksums: (
    specification: AppSpecification,
    target: BuildTarget,
  ) => Promise<Readonly<Record<string, Digest>>>;
}

/** Opens the way to upstream's file hosts. */
export function upstreamFiles(transport: Transport): UpstreamFiles {
  return {
    offer: async (specification, target) => {
      try {
        const answers = await probeFiles(specification.files?.(target) ?? [], { transport });
        const worst =
          answers.find(({ state }) => state === "unknown") ?? answers.find(({ state }) => state === "missing");
        return worst && worst.state !== "available"
          ? { state: worst.state, reason: worst.reason }
          : { state: "offered" };
      } catch (error) {
        return { state: "unknown", reason: reasonOf(error) };
      }
    },
    checksums: async (specification, target) => {
      const files = specification.files?.(target) ?? [];
      return Object.fromEntries(await resolveChecksums(files, { transport, cacheDirectory: cacheDirectory() }));
    },
  };
}

/** Settings for requests to file hosts; all have defaults. Times in milliseconds. */
export interface FileTransportOptions {
  /** Obeys SSL_CERT_FILE, NODE_EXTRA_CA_CERTS and the proxy variables. Default `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default 8. */
  readonly concurrency?: number;
  /** How long one request may be retried. Default 60,000. */
  readonly retryBudgetMs?: number;
  /** How long one try may take; while downloading, between two pieces. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** How long a download may take in all. Default 30 minutes. */
  readonly streamLimitMs?: number;
  readonly clock?: Clock;
  /** Private hosts that others may redirect to. Default: those of MIRROR_PRIVATE_HOSTS. */
  readonly hosts?: PrivateHosts;
}

/** Opens the way to the hosts of upstream's files, with limits of its own so that registries are not held up. */
export function fileTransport(options: FileTransportOptions = {}): Transport {
  const { environment = process.env, concurrency = 8, retryBudgetMs = 60_000 } = options;
  const { requestTimeoutMs = 30_000, streamLimitMs = 30 * 60_000, clock = systemClock } = options;
  const guard = { hosts: options.hosts ?? new PrivateHosts([], environment), redirectsOnly: true };
  const connections = new Connections(environment, requestTimeoutMs, guard);
  return new Transport({ connections, clock, concurrency, retryBudgetMs, requestTimeoutMs, streamLimitMs });
}

/** Whether upstream offers what a platform needs. `unknown` is never taken for either. */
export type Offer =
  | { readonly state: "offered" }
  | { readonly state: "missing"; readonly reason: string }
  | { readonly state: "unknown"; readonly reason: string };
