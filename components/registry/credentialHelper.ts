import { spawn } from "node:child_process";
import { z } from "zod";
import type { Credentials } from "./dockerCredentials";
import { RegistryError } from "./registryError";

const timeoutMs = 30_000;
const mostOutput = 1024 * 1024;
const answerSchema = z.object({ Username: z.string(), Secret: z.string().min(1) });

/**
 * Asks `docker-credential-<helper> get` for a registry's credentials: the server address goes to its standard input,
 * JSON comes back. Undefined when it has none. The helper is found through PATH, runs without a shell and is killed
 * after 30 s. Source: docker/docker-credential-helpers.
 * @throws RegistryError (authorisation) when the helper is missing, fails, hangs or answers nonsense.
 */
export async function askCredentialHelper(
  helper: string,
  server: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) {
    const accepted = "accepted is the part of a program's name after docker-credential-";
    throw new RegistryError("authorisation", `${JSON.stringify(helper)} is not a credential helper; ${accepted}`);
  }
  const { code, output } = await run(`docker-credential-${helper}`, server, environment);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw failure(
      helper,
      server,
      `it ended with ${code === null ? "a signal, perhaps its time limit" : `status ${code}`}`,
    );
  }
  const answer = answerSchema.safeParse(parseJson(output));
  if (!answer.success) throw failure(helper, server, "its answer is not a JSON object with Username and Secret");
  const { Username: username, Secret: secret } = answer.data;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

// What the helper printed stays out of all messages: it may be the secret.
function failure(helper: string, server: string, what: string, cause?: unknown): RegistryError {
  const message = `the credential helper ${JSON.stringify(helper)} gave no credentials for ${JSON.stringify(server)}: ${what}`;
  return new RegistryError("authorisation", message, cause === undefined ? {} : { cause });
}

function run(
  command: string,
  server: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const options = { env: environment, timeout: timeoutMs, killSignal: "SIGKILL" as const };
    const child = spawn(command, ["get"], { ...options, stdio: ["pipe", "pipe", "ignore"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      output += piece;
      if (output.length > mostOutput) child.kill("SIGKILL");
    });
    child.on("error", (cause) => reject(failure(command, server, "it could not be started; is it on PATH?", cause)));
    child.on("close", (code) => resolve({ code, output }));
    // A helper that ends without reading closes the pipe; its exit status tells what happened.
    child.stdin.on("error", () => undefined);
    child.stdin.end(server);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
