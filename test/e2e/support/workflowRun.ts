import { type ChildProcess, execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { actions } from "../../workflows/actions";
import { checkout } from "../../../components/engine/checkout";
import type { Sandbox } from "../../../tools/sandbox/sandbox";

/** The script that stands in for each action that needs the internet or a container engine, in `actions/`. */
const standIns: Readonly<Record<string, string>> = {
  "actions/setup-node": "tool.cjs",
  "actions/cache/restore": "cache.cjs",
  "actions/cache/save": "cache.cjs",
  "actions/upload-artifact": "artifact.cjs",
  "actions/download-artifact": "artifact.cjs",
  "actions/upload-pages-artifact": "pages.cjs",
  "actions/deploy-pages": "pages.cjs",
  "docker/login-action": "login.cjs",
  "docker/setup-buildx-action": "tool.cjs",
  "docker/setup-qemu-action": "never.cjs",
  "crazy-max/ghaction-github-runtime": "never.cjs",
  "pulumi/actions": "tool.cjs",
  "sigstore/cosign-installer": "tool.cjs",
  "anchore/sbom-action/download-syft": "tool.cjs",
};

/** How one run of a workflow ended. */
export interface WorkflowRun {
  /** Every job that ran succeeded. */
  readonly good: boolean;
  readonly log: string;
  /** What its jobs wrote for the page of the run, Markdown. */
  readonly summary: string;
  /** Names of the jobs that ran, and whether each succeeded. */
  readonly jobs: Readonly<Record<string, boolean>>;
}

/** What a run is started with. */
export interface WorkflowEvent {
  /** Default `mirror.yml`. */
  readonly workflow?: string;
  readonly event: "schedule" | "workflow_dispatch" | "repository_dispatch" | "pull_request";
  /** As GitHub's events have them: text, whatever their type. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly payload?: Readonly<Record<string, string>>;
  /** Variables of the repository. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Default: the first attempt of a run of its own. */
  readonly run?: { readonly id: number; readonly attempt: number };
}

/** A run that is under way: act's process, and how it will have ended. */
export interface RunningWorkflow {
  readonly child: ChildProcess;
  readonly ended: Promise<WorkflowRun>;
}

/** Where a fork is and whom it talks to. */
export interface ForkOptions {
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** Owner and name. */
  readonly repository: string;
  /** Writes the files of the fork into a folder. */
  readonly write: (folder: string) => void;
  /** Environment of every job: where GitHub's API is, and how a job is told. */
  readonly environment: Readonly<Record<string, string>>;
  /** Secrets of the stack's environment, and the token of GitHub. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What GitHub tells every job besides, such as where to ask for a token of its identity. */
  readonly told?: Readonly<Record<string, string>>;
  /** Folders of actions beside those that others publish, by `owner/name@commit`. */
  readonly actions?: Readonly<Record<string, string>>;
}

/**
 * A fork of the project, whose workflows the runner `act` runs as they are, on this machine instead of in containers, with small
 * actions in the place of those that need the internet. What GitHub itself does is not here: permissions, environments,
 * concurrency, the signing identity, runners of other processors; nor is actions/checkout, which act does by itself.
 */
export class WorkflowFork {
  /** Its files. */
  readonly files: string;
  private runs = 0;

  constructor(private readonly options: ForkOptions) {
    const { folder, repository } = options;
    this.files = join(folder, "fork");
    for (const name of ["cache", "artifacts", "bin", "home", "summaries"])
      mkdirSync(join(folder, name), { recursive: true });
    options.write(this.files);
    leaveOutUnknown(join(this.files, ".github", "workflows", "mirror.yml"));
    for (const [name, script] of Object.entries(standIns)) this.writeAction(name, script);
    cpSync(join(__dirname, "actions", "npm.cjs"), join(folder, "bin", "npm"));
    chmodSync(join(folder, "bin", "npm"), 0o755);
    this.git("init", "--quiet", "--initial-branch", "main");
    this.git("remote", "add", "origin", `https://github.com/${repository}.git`);
    this.commit();
  }

  /** Commits what was changed in the fork's files. */
  commit(): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", "Change it");
  }

  /** The record of failed builds in each cache entry. */
  records(): Readonly<Record<string, Readonly<Record<string, { readonly count: number }>>>> {
    const read = (key: string) => JSON.parse(readFileSync(this.recordFile(key), "utf8")) as Record<string, never>;
    return Object.fromEntries(this.entries().map((key) => [decodeURIComponent(key), read(key)]));
  }

  /** Lets hours pass for the records of failed builds. */
  letPass(hours: number): void {
    const earlier = (time: string): string => new Date(Date.parse(time) - hours * 3_600_000).toISOString();
    for (const key of this.entries()) {
      const record = readFileSync(this.recordFile(key), "utf8");
      writeFileSync(this.recordFile(key), record.replace(/(?<="(?:last|since)": ?")[^"]+/g, earlier));
    }
  }

  /** Names of a run's artifacts. */
  artifacts(run: number): readonly string[] {
    return readdirSync(join(this.options.folder, "artifacts", String(run))).toSorted();
  }

  run(event: WorkflowEvent): Promise<WorkflowRun> {
    return this.start(event).ended;
  }

  /** Starts a run without waiting for it. */
  start({ workflow = "mirror.yml", event, inputs, payload, variables = {}, run }: WorkflowEvent): RunningWorkflow {
    const { id, attempt } = run ?? { id: (this.runs += 1), attempt: 1 };
    const { folder, secrets, sandbox, told = {}, actions: actionFolders = {} } = this.options;
    const name = `${id}-${attempt}`;
    const file = join(folder, `event-${name}.json`);
    writeFileSync(file, JSON.stringify({ ...(inputs && { inputs }), ...(payload && { client_payload: payload }) }));
    const flags = [
      ...["ubuntu-24.04", "ubuntu-24.04-arm"].flatMap((label) => ["--platform", `${label}=-self-hosted`]),
      ...Object.entries(secrets).flatMap(([name, value]) => ["--secret", `${name}=${value}`]),
      ...Object.keys(standIns).flatMap((name) => ["--local-repository", this.replacement(name)]),
      ...Object.entries(actionFolders).flatMap(([name, path]) => ["--local-repository", `${name}=${path}`]),
      ...["--env", `GITHUB_RUN_ID=${id}`, "--env", `GITHUB_RUN_ATTEMPT=${attempt}`],
      ...["--env", `GITHUB_API_URL=${this.options.environment["GITHUB_API_URL"] ?? ""}`],
      ...Object.entries(told).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...Object.entries({ REGISTRY: sandbox.urls.registry, ...variables }).flatMap(([name, value]) => [
        "--var",
        `${name}=${value}`,
      ]),
      ...["--actor", "forker", "--no-cache-server", "--concurrent-jobs", "1"],
    ];
    const args = [event, "--workflows", `.github/workflows/${workflow}`, "--eventpath", file, "--json", ...flags];
    return this.act(args, join(folder, "summaries", `${name}.md`));
  }

  private entries(): readonly string[] {
    return readdirSync(join(this.options.folder, "cache")).filter((key) => existsSync(this.recordFile(key)));
  }

  private recordFile(key: string): string {
    return join(this.options.folder, "cache", key, "failures", "record.json");
  }

  private git(...args: readonly string[]): void {
    const who = ["-c", "user.name=fork", "-c", "user.email=fork@example.org"];
    execFileSync("git", [...who, ...args], { cwd: this.files });
  }

  private act(args: readonly string[], summary: string): RunningWorkflow {
    const { folder, sandbox, environment } = this.options;
    const npm = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
    const env = {
      ...sandbox.env,
      ...environment,
      // A job has none of these.
      PULUMI_BACKEND_URL: undefined,
      PULUMI_CONFIG_PASSPHRASE: undefined,
      HOME: join(folder, "home"),
      // act keeps its own files below it.
      XDG_CACHE_HOME: join(folder, "home", ".cache"),
      PATH: [join(folder, "bin"), sandbox.env.PATH].join(":"),
      DOCKER_CONFIG: join(folder, "docker"),
      STAND_IN_CACHE: join(folder, "cache"),
      STAND_IN_ARTIFACTS: join(folder, "artifacts"),
      STAND_IN_PAGES: join(folder, "pages"),
      STAND_IN_LIBRARIES: join(checkout, "node_modules"),
      STAND_IN_NPM: npm,
      STAND_IN_SUMMARY: summary,
    };
    const options = { cwd: this.files, env, timeout: 540_000, maxBuffer: 256 * 1024 * 1024 };
    let end: (run: WorkflowRun) => void;
    const ended = new Promise<WorkflowRun>((resolve) => (end = resolve));
    const child = execFile("act", [...args], options, (error, stdout, stderr) => {
      const written = existsSync(summary) ? readFileSync(summary, "utf8") : "";
      end({ ...report(`${stdout}${stderr}`), good: error === null, summary: written });
    });
    return { child, ended };
  }

  /** `owner/name@commit=folder`, as act takes it. */
  private replacement(name: string): string {
    const action = name.split("/").slice(0, 2).join("/");
    return `${action}@${actions[name]?.commit}=${join(this.options.folder, "actions", action)}`;
  }

  /** Writes an action with the inputs of the real one, and the script that stands in for it. */
  private writeAction(name: string, script: string): void {
    const target = join(this.options.folder, "actions", name);
    mkdirSync(target, { recursive: true });
    for (const file of [script, "inputs.cjs"]) cpSync(join(__dirname, "actions", file), join(target, file));
    const inputs = Object.fromEntries((actions[name]?.inputs ?? []).map((input) => [input, { description: input }]));
    // The script is told by its environment for whom it stands in: one serves several.
    writeFileSync(
      join(target, "main.cjs"),
      `process.env.STAND_IN_ACTION = ${JSON.stringify(name)};\nrequire("./${script}");\n`,
    );
    const post = script === "login.cjs" ? { post: "main.cjs" } : {};
    writeFileSync(
      join(target, "action.yml"),
      stringify({ name, description: name, inputs, runs: { using: "node24", main: "main.cjs", ...post } }),
    );
  }
}

/** Takes two keys out that act 0.2.89 refuses. Both are about what GitHub does before a job starts. */
function leaveOutUnknown(file: string): void {
  writeFileSync(file, readFileSync(file, "utf8").replace(/^ *(queue: max|deployment: false)\n/gm, ""));
}

interface LogLine {
  readonly job?: string;
  readonly jobResult?: string;
  readonly msg?: string;
}

/** Reads act's log, a JSON object per line. */
function report(output: string): Pick<WorkflowRun, "log" | "jobs"> {
  const lines = output.split("\n").flatMap((line): LogLine[] => {
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return line === "" ? [] : [{ msg: line }];
    }
  });
  const ended = lines.flatMap(({ job, jobResult }) =>
    job === undefined || jobResult === undefined
      ? []
      : [[job.replace(/^[^/]*\/|(-\d+)?\s*$/g, ""), jobResult === "success"] as const],
  );
  return {
    log: lines.map(({ job = "", msg = "" }) => `${job}: ${msg.trimEnd()}`).join("\n"),
    jobs: Object.fromEntries(ended),
  };
}
