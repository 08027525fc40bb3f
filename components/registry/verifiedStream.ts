import { createHash } from "node:crypto";
import { pipeline, type Readable, Transform } from "node:stream";
import type { Digest } from "../model/digest";
import { RegistryError } from "./registryError";

/**
 * Passes a body on and checks its digest at the end: a reader that saw "end" saw the right bytes. A wrong or cut
 * body is an error on the stream, so nothing read from it may be used before its end.
 */
export function verifiedStream(what: string, source: Readable, expected: Digest): Readable {
  const hash = createHash("sha256");
  const verifier = new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      done(null, piece);
    },
    flush(done) {
      const digest = `sha256:${hash.digest("hex")}`;
      done(
        digest === expected
          ? null
          : new RegistryError("malformed", `cannot read ${what}: the body has digest ${digest}`),
      );
    },
  });
  // pipeline destroys the verifier with the source's error; the reader of the verifier handles it.
  return pipeline(source, verifier, () => undefined);
}
