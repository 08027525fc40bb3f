import { isDigest, type Digest } from "../plan/digest";

/** Characters that mean nothing to the Dockerfile parser inside a JSON string; all others are written as `\uXXXX`. */
const plain = /[^A-Za-z0-9 _./:=,@%+-]/g;

/**
 * A Dockerfile that runs one command in a finished image, without network, shell or variable expansion.
 * User, working directory and environment are the image's.
 * @throws Error naming the value when the repository, the digest or a command element is not acceptable.
 */
export function smokeDockerfile(repository: string, digest: Digest, command: readonly string[]): string {
  if (!/^[A-Za-z0-9[][A-Za-z0-9.:_/[\]-]*$/.test(repository) || !isDigest(digest)) {
    throw new Error(`${JSON.stringify(`${repository}@${digest}`)} is not a reference by digest`);
  }
  const refused = command.find((element) => /[\0\r\n]/.test(element));
  if (refused !== undefined) {
    throw new Error(
      `element ${JSON.stringify(refused)} of a smoke command holds a line break or zero byte; write one line`,
    );
  }
  if (!command[0]) throw new Error(`smoke command ${JSON.stringify(command)} names no program`);
  return `FROM ${repository}@${digest}\nRUN --network=none [${command.map(encode).join(",")}]\n`;
}

/** Strictly a JSON string. Escaping more than JSON asks for keeps here-documents, quotes and `$` out of the parser's sight. */
function encode(element: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `"${element.replace(plain, escape)}"`;
}
