import { type Clock, systemClock } from "../registry/clock";
import { Connections } from "../registry/connections";
import { Transport } from "../registry/transport";

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
  readonly clock?: Clock;
}

/** Opens the way to the hosts of upstream's files, with limits of its own so that registries are not held up. */
export function fileTransport(options: FileTransportOptions = {}): Transport {
  const { environment = process.env, concurrency = 8, retryBudgetMs = 60_000 } = options;
  const { requestTimeoutMs = 30_000, clock = systemClock } = options;
  const connections = new Connections(environment, requestTimeoutMs);
  return new Transport({ connections, clock, concurrency, retryBudgetMs, requestTimeoutMs });
}
