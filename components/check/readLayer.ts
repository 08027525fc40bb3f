import { type Readable, PassThrough, Transform, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type { Digest } from "../model/digest";
import type { LayerListing } from "./layerListing";
import { BeyondBounds, ImageBounds, ListingBuilder, type WantedChecksum } from "./listingBuilder";
import zlib from "node:zlib";
import { Decompress } from "fzstd";
import { reasonOf } from "../model/reasonOf";

/**
 * Reads a layer once, as a stream, into a listing: no file is ever held in memory beyond its first bytes.
 * `blob` must fail when its bytes are not those of the digest.
 * @throws LayerError, "transfer" when `blob` fails; "beyond" when it holds more than the bounds of its image; "damaged" when the
 * data cannot be unpacked, is cut short, or holds a path that leaves the image. Error when the media type is not one of a layer.
 */
export async function readLayer(
  layer: { readonly blob: Readable; readonly mediaType: string; readonly digest: Digest },
  wanted?: WantedChecksum,
  bounds = new ImageBounds(),
): Promise<LayerListing> {
  let size = 0;
  const counter = new Meter((bytes) => (size += bytes));
  const unpacked = new Meter((bytes) => bounds.unpacked(bytes));
  const unpack = decompress(layer.mediaType);
  const archive = extract();
  const listing = new ListingBuilder(layer.digest, wanted, bounds);
  archive.on("entry", (header, body, next) => listing.add(header, body, next));
  // The first failure is the cause; the others are the pipeline tearing down.
  let cause: LayerError | undefined;
  const note = (kind: LayerError["kind"]) => (error: Error) =>
    void (cause ??= new LayerError(layer.digest, error instanceof BeyondBounds ? "beyond" : kind, error));
  layer.blob.on("error", note("transfer"));
  for (const stream of [unpack, unpacked, archive]) stream.on("error", note("damaged"));
  try {
    await pipeline(layer.blob, counter, unpack, unpacked, archive);
  } catch (error) {
    throw cause ?? new LayerError(layer.digest, "damaged", error);
  }
  return listing.finish(size);
}

/** Tells of the bytes that pass; what is thrown then fails the stream. */
class Meter extends Transform {
  constructor(private readonly tell: (bytes: number) => void) {
    super();
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    const problem = attempt(() => this.tell(chunk.length));
    if (problem) done(problem);
    else done(null, chunk);
  }
}

/** Large enough that the work per piece outweighs the hand-over between threads. */
const chunkSize = 256 * 1024;

/**
 * A stream that unpacks a layer of the given media type (OCI and Docker, also Docker's "foreign" layers): gzip, zstd or plain tar.
 * It fails on damaged or cut data. Node's own zstd (as of 24) stops after the first frame, and takes the rest for nothing.
 * @throws Error naming the media type when it is none of these.
 */
function decompress(mediaType: string): Duplex {
  if (/^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./.test(mediaType)) {
    if (/[.+]gzip$/.test(mediaType)) return zlib.createGunzip({ chunkSize });
    if (/[.+]zstd$/.test(mediaType)) return zstd();
    if (/[.]tar$/.test(mediaType)) return new PassThrough();
  }
  throw new Error(`layer of media type ${JSON.stringify(mediaType)}; accepted are tar, tar+gzip and tar+zstd layers`);
}

function zstd(): Duplex {
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(attempt(() => void unpack.push(chunk)));
    },
    flush(done) {
      done(attempt(() => void unpack.push(new Uint8Array(0), true)));
    },
  });
  const unpack = new Decompress((piece) => {
    if (piece.length > 0) stream.push(Buffer.from(piece));
  });
  return stream;
}

function attempt(action: () => void): Error | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const failures = {
  transfer: "could not be read from the registry",
  damaged: "is damaged",
  beyond: "is not read to its end",
};

/** A layer could not be read: its transfer failed, which may pass; its content is damaged, or too much, which will not. */
export class LayerError extends Error {
  override readonly name = "LayerError";

  constructor(
    layer: Digest,
    readonly kind: keyof typeof failures,
    cause: unknown,
  ) {
    const reason = JSON.stringify(reasonOf(cause));
    super(`layer ${layer} ${failures[kind]}: ${reason}`, { cause });
  }
}
