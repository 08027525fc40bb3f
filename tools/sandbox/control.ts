import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { parseFaultRules } from "./faultRule";
import type { Layout } from "./layout";
import type { Sandbox } from "./sandbox";
import { lockHolder } from "../../components/system/lock";
import { reasonOf } from "../../components/model/reasonOf";

const commands = {
  rules: async (sandbox: Sandbox, argument: unknown) => {
    if (argument !== undefined) sandbox.setRules(parseFaultRules(argument));
    return sandbox.ruleStatus();
  },
  latency: async (sandbox: Sandbox, argument: unknown) => sandbox.setLatency(z.number().min(0).parse(argument)),
  "stop-registry": async (sandbox: Sandbox) => sandbox.stopRegistry(),
  "start-registry": async (sandbox: Sandbox) => sandbox.startRegistry(),
  "stop-builder": async (sandbox: Sandbox, argument: unknown) => sandbox.stopBuilder(z.string().parse(argument)),
  "start-builder": async (sandbox: Sandbox, argument: unknown) => sandbox.startBuilder(z.string().parse(argument)),
  repository: async (sandbox: Sandbox, argument: unknown) => {
    const { name, commits } = z.object({ name: z.string(), commits: z.array(z.any()) }).parse(argument);
    return sandbox.createGitRepository(name, commits);
  },
} satisfies Record<string, (sandbox: Sandbox, argument: unknown) => Promise<unknown>>;

/** What a supervisor can be asked over its control socket. */
export type ControlCommand = keyof typeof commands | "stop";

/**
 * Serves the control socket of a sandbox: `POST /COMMAND` with a JSON argument, answered in JSON, or 400 with the mistake as text.
 * `stop` is answered at once and ends the sandbox.
 */
export async function serveControl(socket: string, sandbox: Sandbox, stop: () => void): Promise<Server> {
  const server = createServer((request, response) => {
    const command = (request.url ?? "/").slice(1);
    const work = async (): Promise<unknown> => {
      const given = await text(request);
      const argument: unknown = given === "" ? undefined : JSON.parse(given);
      if (command === "stop") return void setImmediate(stop);
      if (Object.hasOwn(commands, command)) return commands[command as keyof typeof commands](sandbox, argument);
      throw new Error(`no command ${JSON.stringify(command)}; there are ${Object.keys(commands).join(", ")}, stop`);
    };
    work().then(
      (result) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(result ?? null)),
      (error: unknown) => response.writeHead(400).end(reasonOf(error)),
    );
  });
  rmSync(socket, { force: true });
  server.listen(socket);
  await once(server, "listening");
  return server;
}

/**
 * Asks the supervisor behind a control socket.
 * @throws Error with the supervisor's own message, or that nobody answers.
 */
export async function control(socketPath: string, command: ControlCommand, argument?: unknown): Promise<unknown> {
  const request = httpRequest({ socketPath, method: "POST", path: `/${command}`, agent: false });
  // A connection that breaks later shows in the answer.
  request.on("error", () => undefined);
  request.end(argument === undefined ? "" : JSON.stringify(argument));
  const [response] = (await once(request, "response").catch((cause: unknown) => {
    throw new Error(`the sandbox does not answer at ${JSON.stringify(socketPath)}: ${reasonOf(cause)}`, { cause });
  })) as [IncomingMessage];
  const said = await text(response);
  if (response.statusCode !== 200) throw new Error(said);
  return JSON.parse(said);
}

/** Ends the sandbox of a folder that a supervisor runs, and waits until it has ended. */
export async function stopSupervisor({ controlSocket, lock }: Layout): Promise<void> {
  await control(controlSocket, "stop");
  while (lockHolder(lock)) await new Promise((resolve) => setTimeout(resolve, 50));
}
