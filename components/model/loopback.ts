/**
 * Whether a host name, without port, is this machine: `localhost`, 127.0.0.0/8 or `::1`, with or without brackets.
 * Only such hosts are spoken to in plain HTTP.
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1|\[::1\])$/i.test(hostname);
}
