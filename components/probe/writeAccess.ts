import { connect } from "node:tls";
import { isLoopback, parseReference } from "../model/reference";
import { DockerCredentials } from "../registry/credentials";
import { RegistryWriter } from "../registry/registryWriter";

/**
 * Asks once per repository, of those anything is built for, whether this run may write there: a refusal is told before a build of
 * twenty minutes, not after it. Rejects with a RegistryError that names the registry's own words, or as {@link buildAccess}.
 */
export function writeAccess(environment: NodeJS.ProcessEnv, tls = speaksTls): (repository: string) => Promise<void> {
  const known = new Map<string, Promise<void>>();
  const builds = buildAccess(environment, tls);
  const ask = async (repository: string): Promise<void> => {
    await builds(repository);
    const writer = new RegistryWriter(environment);
    try {
      await writer.tryWriting(repository);
    } finally {
      await writer.close();
    }
  };
  return (repository) => {
    const asked = known.get(repository) ?? ask(repository);
    known.set(repository, asked);
    return asked;
  };
}

/**
 * Tells, as far as that needs no writing, whether builds for a repository would be in vain. Rejects where they could not log in as this
 * run does (pulumi-docker-build 0.0.22, `wrap` in cli.go, drops identity tokens); and for a registry on this machine that speaks no
 * TLS: builders push to it all the same, but whatever composes an index reads it by HTTPS.
 */
export function buildAccess(environment: NodeJS.ProcessEnv, tls = speaksTls): (repository: string) => Promise<void> {
  return async (repository) => {
    const { registry } = parseReference(repository);
    if (isLoopback(registry.replace(/:[0-9]+$/, "")) && !(await tls(registry)))
      throw new Error(
        `${registry} speaks plain HTTP only, and the index of a version is read and written by HTTPS; ` +
          "accepted is a registry that speaks TLS on that port, whose certificate authority SSL_CERT_FILE names",
      );
    const credentials = await new DockerCredentials(environment).for(registry);
    if (credentials && "identityToken" in credentials)
      throw new Error(
        `the credentials of ${registry} are an identity token, which Pulumi's provider for builds does not take; ` +
          "accepted is a name and a password, as docker login --username stores them",
      );
  };
}

const longestHandshakeMs = 10_000;

/** Whether a server speaks TLS, with whatever certificate. */
export function speaksTls(host: string): Promise<boolean> {
  const { hostname, port } = new URL(`https://${host}`);
  return new Promise((resolve) => {
    // Nothing is sent over it: this looks at the protocol alone, and clients check the certificate.
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 443),
      rejectUnauthorized: false,
    });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(longestHandshakeMs, () => end(false));
    socket.once("secureConnect", () => end(true));
    socket.once("error", () => end(false));
  });
}
