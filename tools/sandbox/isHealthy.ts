/** A healthy server answers at once; whoever asks asks again. */
const limitMs = 2_000;

/**
 * Whether a server answers a GET with a good status. Without the limit the first question of a process may wait for ever: Node 20
 * does not hear of a connection that is closed while it loads its HTTP parser, and Docker's proxy closes those it has nobody for.
 */
export async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(limitMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
