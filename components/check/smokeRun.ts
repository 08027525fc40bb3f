import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Platform } from "../model/platform";
import { BuildProgress } from "./buildProgress";
import { ProcessError, type ProcessResult, runProcess } from "../system/process";
import { isDigest, type Digest } from "../model/digest";
import { inTime } from "../model/tagRule";
import { printable, jsonEscape } from "../model/safeText";

/** A command to run in the finished image. */
export interface SmokeCommand {
  /** Argument vector; the first element is a path or found through the image's PATH. No shell. */
  readonly command: readonly string[];
  /** What its standard output followed by its standard error must match. */
  readonly expect: RegExp;
  /** How long it may take once it has begun. Default five minutes. */
  readonly limitMs?: number;
}

/** What the command printed (the first 2,000 characters) and how long it took, pulling included. */
export interface SmokeResult {
  readonly output: string;
  readonly milliseconds: number;
}

/** What to run where. `repository` is `host/namespace/name`; `builder` undefined: the client's current one. */
export interface SmokeRequest {
  readonly repository: string;
  readonly digest: Digest;
  readonly platform: Platform;
  readonly smoke: SmokeCommand;
  readonly builder?: string;
  /** Folder the image is in as an OCI layout; undefined: it is in its registry. */
  readonly layout?: string;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** How long it may wait for the builder, which may be busy with the builds of a whole run, and for the image. Default six hours. */
  readonly queueLimitMs?: number;
}

const defaultLimitMs = 5 * 60_000;
const defaultQueueLimitMs = 6 * 60 * 60_000;
const reportedOutput = 2000;
const quotedOutput = 500;

/**
 * Runs a command in a finished image on the image's platform: as the only step of a build on the same builder, without network,
 * from an empty context, exporting nothing.
 * @throws Error with the command, the cause and the beginning of the output when it fails, takes too long or prints something else.
 */
export async function runSmoke(request: SmokeRequest): Promise<SmokeResult> {
  const { repository, digest, smoke } = request;
  const dockerfile = smokeDockerfile(repository, digest, smoke.command);
  const start = performance.now();
  const progress = new BuildProgress(request.layout !== undefined);
  const problem = endProblem(request, await build(request, dockerfile, progress), progress);
  if (problem !== undefined) throw new Error(`smoke command ${JSON.stringify(smoke.command)} ${problem}`);
  return {
    output: progress.output.slice(0, reportedOutput),
    milliseconds: Math.round(performance.now() - start),
  };
}

async function build(
  request: SmokeRequest,
  dockerfile: string,
  progress: BuildProgress,
): Promise<ProcessResult | "too long"> {
  const {
    repository,
    digest,
    layout,
    platform,
    builder,
    environment,
    smoke,
    queueLimitMs = defaultQueueLimitMs,
  } = request;
  const buildx = await buildxCommand(environment);
  const context = await mkdtemp(join(tmpdir(), "mirror-smoke-"));
  const tooLong = new AbortController();
  const stopAfter = (ms: number) => setTimeout(() => tooLong.abort(), ms);
  let timer = stopAfter(queueLimitMs);
  let waits = true;
  try {
    const argv = [
      ...[...buildx.arguments, "build", ...(builder === undefined ? [] : ["--builder", builder])],
      ...(layout === undefined ? [] : ["--build-context", `${repository}@${digest}=oci-layout://${layout}@${digest}`]),
      ...["--platform", platform, "--progress", "rawjson", "--no-cache", "--network", "none"],
      // No attestation of a build that is thrown away.
      ...["--provenance=false", "--sbom=false", "--output", "type=cacheonly", "--file", "-", context],
    ];
    return await runProcess(buildx.command, argv, {
      environment,
      limitMs: Infinity,
      signal: tooLong.signal,
      input: dockerfile,
      onLine: (line, stream) => {
        if (stream === "stderr") progress.add(line);
        if (!waits || !progress.reached) return;
        waits = false;
        clearTimeout(timer);
        timer = stopAfter(smoke.limitMs ?? defaultLimitMs);
      },
    });
  } catch (error) {
    if (error instanceof ProcessError && error.kind === "abort") return "too long";
    throw error;
  } finally {
    clearTimeout(timer);
    await rm(context, { recursive: true, force: true });
  }
}

function endProblem(
  request: SmokeRequest,
  end: ProcessResult | "too long",
  progress: BuildProgress,
): string | undefined {
  const printed = `it printed ${quote(progress.output)}`;
  if (end === "too long") return limitProblem(request, progress);
  if (end.status === 0 && progress.reached) return outputProblem(request.smoke.expect, progress.output);
  if (end.status === 0) return "was not run: the builder reported no step for it";
  const reason = quote(progress.error || `the build client ended with exit code ${end.status}`);
  if (!progress.reached)
    return `could not be run on builder ${JSON.stringify(request.builder ?? "(current)")}: ${reason}`;
  const emulation = /exec format error/i.test(`${progress.error}${progress.output}`)
    ? `; the builder runs ${request.platform} neither itself nor by emulation, or the program is for another platform`
    : "";
  return `failed: ${reason}${emulation}; ${printed}`;
}

/** Which of the two limits it was. */
function limitProblem(
  { smoke, queueLimitMs = defaultQueueLimitMs, builder }: SmokeRequest,
  progress: BuildProgress,
): string {
  const ran = `did not finish within ${(smoke.limitMs ?? defaultLimitMs) / 1000} s of its start (smoke.limitSeconds); it printed ${quote(progress.output)}`;
  const name = JSON.stringify(builder ?? "(current)");
  return progress.reached ? ran : `was not begun within ${queueLimitMs / 1000} s: builder ${name} was busy, or hangs`;
}

function outputProblem(expect: RegExp, output: string): string | undefined {
  // A global or sticky expression would remember where it stopped the last time.
  const pattern = new RegExp(expect.source, expect.flags.replace(/[gy]/g, ""));
  const matches = inTime(`${expect} on what the smoke command printed`, () => pattern.test(output));
  return matches ? undefined : `printed ${quote(output)}; expected is a match of ${expect}`;
}

function quote(text: string): string {
  return printable(text, quotedOutput);
}

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
  return `"${element.replace(plain, jsonEscape)}"`;
}

/** The first words of a buildx command line. */
interface BuildxCommand {
  readonly command: string;
  readonly arguments: readonly string[];
}

const candidates: readonly BuildxCommand[] = [
  { command: "docker", arguments: ["buildx"] },
  { command: "buildx", arguments: [] },
];

const found = new Map<string, Promise<BuildxCommand>>();

/**
 * How buildx is called here: as Docker's plugin or, without one, standing alone. Found by running it, once per environment.
 * @throws Error saying what was tried when neither answers.
 */
export async function buildxCommand(environment: Readonly<NodeJS.ProcessEnv>): Promise<BuildxCommand> {
  const key = JSON.stringify([environment["PATH"], environment["DOCKER_CONFIG"], environment["HOME"]]);
  const pending = found.get(key) ?? search(environment);
  found.set(key, pending);
  try {
    return await pending;
  } catch (error) {
    found.delete(key);
    throw error;
  }
}

async function search(environment: Readonly<NodeJS.ProcessEnv>): Promise<BuildxCommand> {
  for (const candidate of candidates) {
    if (await answers(candidate, environment)) return candidate;
  }
  throw new Error(
    `neither "docker buildx" nor "buildx" answers on PATH ${JSON.stringify(environment["PATH"] ?? "")}; install Docker's buildx`,
  );
}

async function answers(candidate: BuildxCommand, environment: Readonly<NodeJS.ProcessEnv>): Promise<boolean> {
  try {
    const argv = [...candidate.arguments, "version"];
    return (await runProcess(candidate.command, argv, { environment, limitMs: 20_000 })).status === 0;
  } catch {
    return false;
  }
}
