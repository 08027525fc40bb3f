import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { RunProcess } from "../../components/system/process";
import { LoopbackServer } from "../support/loopbackServer";

/** One call of a stand-in. */
export interface ToolCall {
  readonly tool: "cosign" | "syft";
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Contents of the file after --predicate. */
  readonly predicate?: string;
}

/** What the stand-in then does. `file` is written to the path of cosign's --bundle or syft's --output. */
export interface ToolAnswer {
  readonly status?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly file?: string;
}

const script = `#!/usr/bin/env node
const { readFileSync, writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const argv = process.argv.slice(2);
const after = (flag) => argv[argv.indexOf(flag) + 1];
const predicate = argv.includes("--predicate") ? readFileSync(after("--predicate"), "utf8") : undefined;
const body = JSON.stringify({ tool: basename(process.argv[1]), argv, environment: process.env, predicate });
fetch(process.env.FAKE_TOOLS, { method: "POST", body }).then(async (response) => {
  const { status = 0, stdout = "", stderr = "", file } = await response.json();
  if (file !== undefined) writeFileSync(argv.includes("--bundle") ? after("--bundle") : after("--output").split("=")[1], file);
  process.stderr.write(stderr);
  process.stdout.write(stdout);
  process.exitCode = status;
});
`;

/** Stand-ins for cosign and syft on a PATH of their own; what they do is up to a function in the test. */
export class FakeTools extends LoopbackServer {
  readonly directory = mkdtempSync(join(tmpdir(), "fake-tools-"));
  readonly calls: ToolCall[] = [];
  readonly #answer: (call: ToolCall) => Promise<ToolAnswer> | ToolAnswer;

  constructor(answer: (call: ToolCall) => Promise<ToolAnswer> | ToolAnswer) {
    super();
    this.#answer = answer;
    for (const tool of ["cosign", "syft"]) {
      writeFileSync(join(this.directory, tool), script);
      chmodSync(join(this.directory, tool), 0o755);
    }
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = (await json(request)) as ToolCall;
    this.calls.push(call);
    response.end(JSON.stringify(await this.#answer(call)));
  }

  /** The same without processes. */
  readonly run: RunProcess = async (command, argv, { environment }) => {
    const after = (flag: string): string => argv[argv.indexOf(flag) + 1] ?? "";
    const predicate = argv.includes("--predicate") ? readFileSync(after("--predicate"), "utf8") : undefined;
    const variables = environment as Record<string, string>;
    const call = {
      tool: command as ToolCall["tool"],
      argv,
      environment: variables,
      ...(predicate !== undefined && { predicate }),
    };
    this.calls.push(call);
    const { status = 0, stdout = "", stderr = "", file } = await this.#answer(call);
    const output = argv.includes("--bundle") ? after("--bundle") : (after("--output").split("=")[1] ?? "");
    if (file !== undefined) writeFileSync(output, file);
    return { status, stdout, stderr };
  };

  /** What a process needs to find the stand-ins instead of the real tools. */
  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.directory}:${process.env["PATH"]}`,
      HOME: this.directory,
      FAKE_TOOLS: `http://127.0.0.1:${this.port}/`,
    };
  }

  override async stop(): Promise<void> {
    await super.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
