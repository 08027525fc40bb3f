import type { RequiredFile } from "../model/appSpecification";
import { RegistryError } from "../registry/registryError";
import type { Transport, TransportAnswer } from "../registry/transport";
import { printable } from "../model/safeText";
import { isLoopback } from "../model/reference";

/** Whether upstream offers a file. `missing` is certain; all doubt is `unknown`. */
export type FileAvailability =
  | { readonly url: string; readonly state: "available" }
  | { readonly url: string; readonly state: "missing" | "unknown"; readonly reason: string };

type Answer = { readonly status: number; readonly contentType: string } | { readonly trouble: string };

const errorPage = 1024 * 1024;

/**
 * Asks for each file, and its sum file, whether upstream offers it: HEAD, and where that says no, the first byte by GET.
 * `missing` takes 404 or 410 from both (from GET alone where the host does not know HEAD). 403 proves nothing: some
 * storage hosts answer it for files that do not exist, others for files that do. Never rejects for a host's trouble.
 * @throws Error for an address that is not accepted
 */
export async function probeFiles(
  files: readonly RequiredFile[],
  { transport }: { readonly transport: Transport },
): Promise<readonly FileAvailability[]> {
  const addresses = files.map(({ url, sums }) => [fileUrl(url), ...(sums ? [fileUrl(sums.url)] : [])]);
  return Promise.all(
    files.map(async ({ url }, position): Promise<FileAvailability> => {
      const parts = await Promise.all((addresses[position] ?? []).map((address) => probe(address, transport)));
      const worst = parts.find(({ state }) => state === "unknown") ?? parts.find(({ state }) => state === "missing");
      return worst ? { ...worst, url } : { url, state: "available" };
    }),
  );
}

async function probe(address: URL, transport: Transport): Promise<FileAvailability> {
  const head = await ask("HEAD", address, transport);
  if ("status" in head && head.status === 200) return judge(address, head);
  const get = await ask("GET", address, transport);
  const headSaysGone = "status" in head && isGone(head.status);
  const headUnsupported = "status" in head && [405, 501].includes(head.status);
  if ("status" in get && isGone(get.status) && !headSaysGone && !headUnsupported) {
    return unknown(address, `HEAD ${told(head)}, but GET ${told(get)}`);
  }
  return judge(address, get);
}

function judge(address: URL, answer: Answer): FileAvailability {
  const url = address.href;
  if ("trouble" in answer) return unknown(address, answer.trouble);
  const { status, contentType } = answer;
  if (isGone(status)) return { url, state: "missing", reason: `${printable(url, 300)} ${told(answer)}` };
  if (status !== 200 && status !== 206) return unknown(address, told(answer));
  const isPage = /^(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType);
  if (isPage && !/\.x?html?$/i.test(address.pathname)) return unknown(address, "answers a web page");
  return { url, state: "available" };
}

async function ask(method: "HEAD" | "GET", url: URL, transport: Transport): Promise<Answer> {
  const headers = method === "GET" ? { range: "bytes=0-0" } : {};
  try {
    const answer = await transport.send({
      method,
      url,
      headers,
      bodyLimit: errorPage,
      ...(method === "GET" && { stream: true }),
    });
    discard(answer);
    return { status: answer.status, contentType: answer.header("content-type") ?? "" };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return error.status === 501
      ? { status: 501, contentType: "" }
      : { trouble: `gave no usable answer: ${error.message}` };
  }
}

/** A host that ignores ranges sends the whole file: the connection is dropped instead of reading it. */
function discard({ stream }: TransportAnswer): void {
  stream?.on("error", () => undefined);
  stream?.destroy();
}

function isGone(status: number): boolean {
  return status === 404 || status === 410;
}

function told(answer: Answer): string {
  return "status" in answer ? `answers ${answer.status}` : answer.trouble;
}

function unknown({ href }: URL, problem: string): FileAvailability {
  return { url: href, state: "unknown", reason: `${printable(href, 300)} ${problem}` };
}

/**
 * Reads the address of a file of upstream's: https, or http on loopback; no user, password or fragment.
 * @throws Error naming the value and what is accepted
 */
export function fileUrl(value: string): URL {
  // The URL parser drops line breaks and tabs without a word.
  const url = /^[\x21-\x7e]+$/.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url && secure && url.username === "" && url.password === "" && url.hash === "") return url;
  const accepted = "an https address without user, password and fragment (http on loopback only)";
  throw new Error(`${printable(value, 200)} is not the address of a file; accepted is ${accepted}`);
}
