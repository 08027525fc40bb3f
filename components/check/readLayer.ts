import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type { Digest } from "../model/digest";
import { decompress } from "./decompress";
import { LayerError } from "./layerError";
import type { LayerListing } from "./layerListing";
import { ListingBuilder, type WantedChecksum } from "./listingBuilder";

/**
 * Reads a layer once, as a stream, into a listing: no file is ever held in memory beyond its first bytes.
 * `blob` must fail when its bytes are not those of the digest.
 * @throws LayerError, "transfer" when `blob` fails; "damaged" when the data cannot be unpacked, is cut short,
 * or holds a path that leaves the image. Error when the media type is not one of a layer.
 */
export async function readLayer(
  layer: { readonly blob: Readable; readonly mediaType: string; readonly digest: Digest },
  wanted?: WantedChecksum,
): Promise<LayerListing> {
  const counter = new ByteCounter();
  const unpack = decompress(layer.mediaType);
  const archive = extract();
  const listing = new ListingBuilder(layer.digest, wanted);
  archive.on("entry", (header, body, next) => listing.add(header, body, next));
  // The first failure is the cause; the others are the pipeline tearing down.
  let cause: LayerError | undefined;
  const note = (kind: LayerError["kind"]) => (error: Error) =>
    void (cause ??= new LayerError(layer.digest, kind, error));
  layer.blob.on("error", note("transfer"));
  for (const stream of [unpack, archive]) stream.on("error", note("damaged"));
  try {
    await pipeline(layer.blob, counter, unpack, archive);
  } catch (error) {
    throw cause ?? new LayerError(layer.digest, "damaged", error);
  }
  return listing.finish(counter.bytes);
}

/** Counts the stored bytes on their way. */
class ByteCounter extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }
}
