import { lookup as resolve } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { isLoopback } from "../model/reference";
import { RegistryError } from "./registryError";

const variable = "MIRROR_PRIVATE_HOSTS";

/**
 * Hosts on this machine or a private network that requests may be led to although upstream chose where to: those of the
 * mirror's own registry, of the mirrors it reads from, and those in MIRROR_PRIVATE_HOSTS, separated by commas.
 */
export class PrivateHosts {
  readonly #hosts: ReadonlySet<string>;

  /** @param places what begins with a host: `localhost:5000/path`. */
  constructor(places: Iterable<string>, environment: NodeJS.ProcessEnv) {
    const listed = (environment[variable] ?? "").split(",").map((host) => host.trim());
    this.#hosts = new Set([...places, ...listed].map(hostOf).filter((host) => host !== ""));
  }

  /** Ports do not count, nor by which of its names this machine is called. */
  includes(hostname: string): boolean {
    return this.#hosts.has(hostOf(hostname));
  }
}

function hostOf(place: string): string {
  const host = (place.split("/")[0] ?? "").replace(/:[0-9]+$/, "").toLowerCase();
  return isLoopback(host) ? "localhost" : host;
}

/** Addresses that are no host of the internet. Source: IANA's special-purpose address registries. */
const reserved = new BlockList();
for (const [network, prefix] of [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
  ] as const),
  ...([
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["224.0.0.0", 3],
  ] as const),
])
  reserved.addSubnet(network, prefix);
for (const [network, prefix] of [
  ...([
    ["::", 127],
    ["64:ff9b::", 96],
    ["64:ff9b:1::", 48],
    ["2002::", 16],
  ] as const),
  ...([
    ["fc00::", 7],
    ["fe80::", 10],
    ["fec0::", 10],
    ["ff00::", 8],
  ] as const),
])
  reserved.addSubnet(network, prefix, "ipv6");

function isPrivate(address: string): boolean {
  return reserved.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** @throws RegistryError for a host that is an address, or a name of this machine, which nobody looks up. */
export function refusePrivateHost(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isLoopback(hostname) || (isIP(address) !== 0 && isPrivate(address))) throw refusal(hostname, hostname);
}

/** Looks a host up, and refuses one with an address on this machine or a private network: the connection goes to what was looked at. */
export const lookupPublic: LookupFunction = (hostname, options, done) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    const found = addresses?.find(({ address }) => isPrivate(address));
    const [first] = addresses ?? [];
    if (error || found || !first) done(error ?? refusal(hostname, found?.address ?? "nothing"), "", 0);
    else if (options.all) done(null, addresses);
    else done(null, first.address, first.family);
  });
};

function refusal(hostname: string, address: string): RegistryError {
  const where = hostname === address ? "" : ` (${address})`;
  return new RegistryError(
    "malformed",
    `upstream names ${JSON.stringify(hostname)}${where}, which is on this machine or a private network; ${variable} has to name it if it may be asked`,
  );
}
