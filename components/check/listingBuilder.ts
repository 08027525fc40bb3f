import { createHash } from "node:crypto";
import { basename, dirname } from "node:path/posix";
import type { ExtractEvents } from "tar-stream";
import type { Digest } from "../model/digest";
import { fileHeadLength, readFileHead, type FileContent, type LayerEntry, type LayerListing } from "./layerListing";

type Header = ExtractEvents["entry"][0];
type Body = ExtractEvents["entry"][1];

/** More than the largest real images hold, for all layers together; the listings would eat the memory, the unpacking the time. */
const most = { entries: 1_000_000, characters: 64 * 1024 * 1024, bytes: 64 * 1024 ** 3 };
/** PATH_MAX of Linux, in characters. */
const pathLimit = 4096;

/** Counts what the layers of one image hold, as far as it costs the reader something. */
export class ImageBounds {
  #entries = 0;
  #characters = 0;
  #bytes = 0;

  constructor(private readonly limits: Readonly<typeof most> = most) {}

  /** @throws Error naming the bound when the image has too many entries, or their names are too long together. */
  entry(...names: readonly string[]): void {
    if (++this.#entries > this.limits.entries) throw beyond(`${this.limits.entries} files`);
    for (const name of names) this.#characters += name.length;
    if (this.#characters > this.limits.characters) throw beyond(`${this.limits.characters} characters of file names`);
  }

  /** @throws Error naming the bound when the image unpacks to too much. */
  unpacked(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.limits.bytes) throw beyond(`${this.limits.bytes} bytes unpacked`);
  }
}

function beyond(bound: string): BeyondBounds {
  return new BeyondBounds(`the image has more than ${bound}, the most that is checked`);
}

/** An image is larger than any that is checked; nothing is wrong with its layers. */
export class BeyondBounds extends Error {
  override readonly name = "BeyondBounds";
}

/** A file whose checksum is wanted: path as in `LayerEntry`. */
export interface WantedChecksum {
  readonly path: string;
  readonly algorithm: "sha256" | "sha512";
}

/** Turns the entries of one layer's archive into a listing; bodies are seen in passing only. @see readLayer */
export class ListingBuilder {
  readonly #entries: LayerEntry[] = [];
  readonly #whiteouts: string[] = [];
  readonly #opaque: string[] = [];
  readonly #files = new Map<string, FileContent>();

  constructor(
    readonly layer: Digest,
    readonly wanted: WantedChecksum | undefined,
    private readonly bounds: ImageBounds,
  ) {}

  /** The finished listing of a layer of `size` stored bytes. */
  finish(size: number): LayerListing {
    return { entries: this.#entries, whiteouts: this.#whiteouts, opaque: this.#opaque, size };
  }

  /** Takes the archive's next entry, reads or skips its body, then asks for the next one. */
  add(header: Header, body: Body, next: (error?: Error) => void): void {
    // The archive itself reports every failure; unheard on the body it would end the process.
    body.on("error", () => undefined);
    try {
      const path = cleanPath(header.name);
      this.bounds.entry(path, header.linkname ?? "");
      if (header.type === "file" || header.type === "contiguous-file") return this.#addFile(path, header, body, next);
      if (path !== "") this.#addOther(path, header);
    } catch (error) {
      return next(error as Error);
    }
    body.on("end", next);
    body.resume();
  }

  #addFile(path: string, header: Header, body: Body, next: (error?: Error) => void): void {
    const name = basename(path);
    if (name === ".wh..wh..opq") this.#opaque.push(parent(path));
    else if (name.startsWith(".wh.")) this.#addWhiteout(path, name);
    else if (path !== "") return this.#readFile(path, header, body, next);
    body.on("end", next);
    body.resume();
  }

  #addWhiteout(path: string, name: string): void {
    const hidden = name.slice(".wh.".length);
    // Names that begin with the prefix twice are the storage driver's own records.
    if (hidden === "" || hidden.startsWith(".wh.")) return;
    const folder = parent(path);
    this.#whiteouts.push(folder === "" ? hidden : `${folder}/${hidden}`);
  }

  #readFile(path: string, header: Header, body: Body, next: (error?: Error) => void): void {
    const hash = this.wanted?.path === path ? createHash(this.wanted.algorithm) : undefined;
    let start: Buffer = Buffer.alloc(0);
    body.on("data", (data) => {
      const chunk = data as Buffer;
      if (start.length < fileHeadLength)
        start = Buffer.concat([start, chunk.subarray(0, fileHeadLength - start.length)]);
      hash?.update(chunk);
    });
    body.on("end", () => {
      const checksum = hash && `${this.wanted?.algorithm}:${hash.digest("hex")}`;
      const file: FileContent = {
        executable: isExecutable(header),
        head: readFileHead(start),
        path,
        layer: this.layer,
        ...(checksum !== undefined && { checksum }),
      };
      this.#putFile(path, file);
      next();
    });
  }

  #addOther(path: string, header: Header): void {
    const { type, linkname } = header;
    if (type === "directory") this.#put({ path, kind: "directory" });
    else if (type === "symlink") this.#put({ path, kind: "symlink", target: limited(linkname || "") });
    else if (type === "link") this.#addHardLink(path, cleanPath(linkname || ""), isExecutable(header));
    else this.#put({ path, kind: "special" });
  }

  #addHardLink(path: string, target: string, executable: boolean): void {
    const file = this.#files.get(target);
    if (file === undefined) return this.#put({ path, kind: "hardlink", target, executable });
    this.#putFile(path, executable ? { ...file, executable } : file);
  }

  #putFile(path: string, file: FileContent): void {
    this.#files.set(path, file);
    this.#entries.push({ path, kind: "file", file });
  }

  #put(entry: LayerEntry): void {
    this.#files.delete(entry.path);
    this.#entries.push(entry);
  }
}

function isExecutable(header: Header): boolean {
  return (header.mode & 0o111) !== 0;
}

function parent(path: string): string {
  const folder = dirname(path);
  return folder === "." ? "" : folder;
}

/** The normal form of an archive's path. @throws Error when it leaves the image. */
function cleanPath(name: string): string {
  const parts = limited(name)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new Error(`path ${JSON.stringify(name)} leaves the image`);
  return parts.join("/");
}

function limited(name: string): string {
  if (name.length <= pathLimit && !name.includes("\0")) return name;
  throw new Error(`path ${JSON.stringify(name.slice(0, 80))} has ${name.length} characters or a zero byte`);
}
