import { isLoopback } from "../registry/loopback";
import { printable } from "./printable";

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
