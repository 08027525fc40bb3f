import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { hasCode } from "../model/reasonOf";
import { RegistryError } from "./registryError";
import { ProcessError, runProcess } from "../system/process";

/** What to prove oneself with: a name and password, or an identity token to be exchanged at the token server. */
export type Credentials = { readonly username: string; readonly password: string } | { readonly identityToken: string };

// Docker reads null anywhere as nothing, and so must this.
const text = z.string().nullish();
const authSchema = z.object({ auth: text, username: text, password: text, identitytoken: text }).nullish();
const configurationSchema = z
  .object({
    auths: z.record(z.string(), authSchema).nullish(),
    credHelpers: z.record(z.string(), text).nullish(),
    credsStore: text,
  })
  .nullish()
  .transform((read) => ({ ...read, auths: read?.auths ?? {}, credHelpers: read?.credHelpers ?? {} }));
type Configuration = z.infer<typeof configurationSchema>;
const given = z.base64().refine((auth) => Buffer.from(auth, "base64").indexOf(":") > 0);
/** Docker takes nothing else there, and none of it where there is anything else. */
const givenSchema = z
  .strictObject({ auths: z.record(z.string(), z.strictObject({ auth: given })).nullish() })
  .transform(({ auths }) => ({ auths: auths ?? {}, credHelpers: {} }));

/** What knows the credentials of registries. */
export type Credentialed = Pick<DockerCredentials, "for" | "forget">;

/** Docker keeps Docker Hub's credentials under the address of its first, long gone registry. */
const hubKeys = ["https://index.docker.io/v1/", "index.docker.io"];
/** Whichever of its names is asked for, builders look under those keys, and nowhere else: not under `docker.io`, which other clients write. */
const hubHosts = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/**
 * Credentials as Docker finds them: `auths` in $DOCKER_AUTH_CONFIG, then what `docker login` left, `config.json` in
 * $DOCKER_CONFIG or `~/.docker`. A helper named for the
 * registry (`credHelpers`) goes first, then the general one (`credsStore`). Where there is one, `auths` count for nothing, as for Docker
 * and builds (docker/cli, `nativeStore`).
 * Each registry is looked up once, until {@link forget}.
 */
export class DockerCredentials {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #found = new Map<string, Promise<Credentials | undefined>>();

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /**
   * The credentials for a registry host, undefined when there are none.
   * @throws RegistryError (authorisation) when the configuration or a helper cannot be read.
   */
  for(host: string): Promise<Credentials | undefined> {
    const found = this.#found.get(host) ?? this.#lookUp(host);
    this.#found.set(host, found);
    return found;
  }

  /** Looks a registry up anew next time: its credentials were refused, so they may have been replaced. */
  forget(host: string): void {
    this.#found.delete(host);
  }

  async #lookUp(host: string): Promise<Credentials | undefined> {
    const keys = hubHosts.includes(host) ? hubKeys : [host];
    const given = stored(this.#given(), keys);
    if (given) return given;
    const configuration = await this.#configuration();
    if (!configuration) return undefined;
    const own = keys.find((key) => Object.hasOwn(configuration.credHelpers, key));
    const helper = own === undefined ? configuration.credsStore : configuration.credHelpers[own];
    if (helper) return askCredentialHelper(helper, own ?? keys[0] ?? host, this.#environment);
    return stored(configuration, keys);
  }

  #given(): Configuration {
    const given = givenSchema.safeParse(parseJson(this.#environment["DOCKER_AUTH_CONFIG"] || "{}"));
    return given.data ?? { auths: {}, credHelpers: {} };
  }

  async #configuration(): Promise<Configuration | undefined> {
    const folder = this.#environment["DOCKER_CONFIG"] || join(this.#environment["HOME"] || homedir(), ".docker");
    const path = join(folder, "config.json");
    const text = await readFile(path, "utf8").catch((cause: unknown) => {
      if (hasCode(cause, "ENOENT")) return undefined;
      throw new RegistryError("authorisation", `cannot read the Docker configuration ${JSON.stringify(path)}`, {
        cause,
      });
    });
    if (text === undefined || text.trim() === "") return undefined;
    try {
      return configurationSchema.parse(JSON.parse(text));
    } catch {
      // No cause here: the parser's own message quotes the text, and the text holds passwords.
      const accepted = "accepted is what docker login writes";
      throw new RegistryError(
        "authorisation",
        `the Docker configuration ${JSON.stringify(path)} is malformed; ${accepted}`,
      );
    }
  }
}

function stored({ auths }: Configuration, keys: readonly string[]): Credentials | undefined {
  const exact = keys.find((key) => Object.hasOwn(auths, key));
  const key = exact ?? Object.keys(auths).find((candidate) => keys.includes(hostOf(candidate)));
  const entry = key === undefined ? undefined : auths[key];
  if (!entry) return undefined;
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  const decoded = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = colon > 0 ? decoded.slice(0, colon) : entry.username;
  // Docker pads with NUL bytes, and so takes them off.
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, "") : entry.password;
  return username && password ? { username, password } : undefined;
}

/** Old clients wrote `https://host/v1/`; the host is what counts. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/")[0] ?? "";
}

const timeoutMs = 30_000;
const mostOutput = 1024 * 1024;
const answerSchema = z.object({ Username: text, Secret: text });

/**
 * Asks `docker-credential-<helper> get` for a registry's credentials: the server address goes to its standard input,
 * JSON comes back. Undefined when it has none, which some say with empty strings. The helper is found through PATH, runs without a shell and is killed
 * after 30 s. Source: docker/docker-credential-helpers.
 * @throws RegistryError (authorisation) when the helper is missing, fails, hangs or answers nonsense.
 */
async function askCredentialHelper(
  helper: string,
  server: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) {
    const accepted = "accepted is the part of a program's name after docker-credential-";
    throw new RegistryError("authorisation", `${JSON.stringify(helper)} is not a credential helper; ${accepted}`);
  }
  const { status, stdout } = await runProcess(`docker-credential-${helper}`, ["get"], {
    environment,
    limitMs: timeoutMs,
    outputLimit: mostOutput,
    input: server,
  }).catch((cause: unknown) => {
    if (!(cause instanceof ProcessError)) throw cause;
    throw failure(
      helper,
      server,
      cause.kind === "start" ? "it could not be started; is it on PATH?" : cause.message,
      cause,
    );
  });
  if (status !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw failure(helper, server, `it ended with status ${status}`);
  }
  const answer = answerSchema.safeParse(parseJson(stdout));
  if (!answer.success) throw failure(helper, server, "its answer is not a JSON object with Username and Secret");
  const { Username: username, Secret: secret } = answer.data;
  if (!username || !secret) return undefined;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

// What the helper printed stays out of all messages: it may be the secret.
function failure(helper: string, server: string, what: string, cause?: unknown): RegistryError {
  const message = `the credential helper ${JSON.stringify(helper)} gave no credentials for ${JSON.stringify(server)}: ${what}`;
  return new RegistryError("authorisation", message, cause === undefined ? {} : { cause });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
