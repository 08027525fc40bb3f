import { PassThrough, Transform, type Duplex } from "node:stream";
import zlib from "node:zlib";
import { Decompress } from "fzstd";

/** Large enough that the work per piece outweighs the hand-over between threads. */
const chunkSize = 256 * 1024;

/**
 * A stream that unpacks a layer of the given media type (OCI and Docker, also Docker's "foreign" layers): gzip, zstd or plain tar.
 * It fails on damaged or cut data. Node has zstd from 22.15; before that a JavaScript decompressor is used.
 * @throws Error naming the media type when it is none of these.
 */
export function decompress(mediaType: string): Duplex {
  if (/^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./.test(mediaType)) {
    if (/[.+]gzip$/.test(mediaType)) return zlib.createGunzip({ chunkSize });
    if (/[.+]zstd$/.test(mediaType)) return zstd();
    if (/[.]tar$/.test(mediaType)) return new PassThrough();
  }
  throw new Error(`layer of media type ${JSON.stringify(mediaType)}; accepted are tar, tar+gzip and tar+zstd layers`);
}

function zstd(): Duplex {
  if ("createZstdDecompress" in zlib && typeof zlib.createZstdDecompress === "function") {
    return (zlib.createZstdDecompress as (options: { chunkSize: number }) => Duplex)({ chunkSize });
  }
  return zstdInJavaScript();
}

function zstdInJavaScript(): Duplex {
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
