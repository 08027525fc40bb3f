import { type ChildProcess, fork } from "node:child_process";
import { Limiter } from "./limiter";
import { endWithThis } from "./process";

/** One piece of work. Input and result are copied: plain data. */
export interface Work {
  /** Whose work it is: an app. */
  readonly owner: string;
  /** The file of `components/` and the function in it; without one the file is only loaded. */
  readonly job: readonly [file: string, name?: string];
  readonly input: unknown;
  /** Milliseconds it may take. */
  readonly limitMs: number;
}

/** Work that was ended, or that ended its process. */
export class IsolationError extends Error {
  override readonly name = "IsolationError";
}

/** Of each process, for JavaScript values: an image of the most files accepted takes about half of it. */
const megabytes = 1024;
const processesAtOnce = 4;
/** So that one owner's work cannot keep all others waiting. */
const processesPerOwner = 2;
const loadingMs = 30_000;

type Answer = { readonly value: unknown } | { readonly problem: string };

/**
 * Does work on what upstream wrote in processes of their own, where a time and a memory limit can end it and nothing else.
 * A process is started when work finds none idle, does one piece at a time, and ends with this one.
 */
export class Isolation {
  readonly #limiter = new Limiter(processesAtOnce);
  readonly #owners = new Map<string, Limiter>();
  readonly #idle: ChildProcess[] = [];

  /** @param program path of a program that answers each message `{ job, input }` with `{ value }` or `{ problem }`. */
  constructor(private readonly program: string) {}

  /** @throws IsolationError naming the limit that was exceeded; Error with the words of a job that failed. */
  async run<T>(work: Work): Promise<T> {
    const own = this.#owners.get(work.owner) ?? new Limiter(processesPerOwner);
    this.#owners.set(work.owner, own);
    const answer = await own.run(() => this.#limiter.run(() => this.#ask(work)));
    if ("problem" in answer) throw new Error(answer.problem);
    return answer.value as T;
  }

  /**
   * Has a process load a file of `components/` while there is time, for work that is about to come. Never rejects: what fails here fails
   * again with the work, which tells.
   */
  async ready(owner: string, file: string): Promise<void> {
    await this.run({ owner, job: [file], input: undefined, limitMs: loadingMs }).catch(() => undefined);
  }

  async #ask({ job, input, limitMs }: Work): Promise<Answer> {
    const worker = this.#take();
    for (const handle of [worker, worker.channel]) handle?.ref();
    let overdue = false;
    const timer = setTimeout(() => {
      overdue = true;
      worker.kill("SIGKILL");
    }, limitMs);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.once("exit", (status, signal) => {
          const late = `was ended after ${limitMs / 1000} s, the most it may take`;
          const ended = `ended by itself (${signal ?? `status ${status}`}); it may take ${megabytes} MB of memory`;
          reject(new IsolationError(`reading what upstream wrote ${overdue ? late : ended}`));
        });
        worker.send({ job, input }, (error) => error && reject(error));
      });
      worker.removeAllListeners();
      // It must not keep this process from ending.
      for (const handle of [worker, worker.channel]) handle?.unref();
      this.#idle.push(worker);
      return answer;
    } catch (error) {
      worker.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #take(): ChildProcess {
    for (let worker = this.#idle.pop(); worker; worker = this.#idle.pop()) if (worker.connected) return worker;
    return this.#start();
  }

  #start(): ChildProcess {
    const worker = fork(this.program, [], {
      execArgv: [`--max-old-space-size=${megabytes}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      detached: true,
    });
    endWithThis(worker);
    return worker;
  }
}
