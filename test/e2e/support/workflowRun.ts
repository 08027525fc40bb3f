import { execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { actions } from "../../workflows/actions";
import { checkout } from "../../../components/engine/checkout";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { copyProgram } from "./programCopy";
import type { Settings } from "./mirrorUnderTest";

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

/** What of the checkout a job needs besides the program. */
const parts = ["commands", "tools", "package-lock.json", ".npmrc", ".node-version", ".github"];

/** How one run of a workflow ended. */
export interface WorkflowRun {
  /** Every job that ran succeeded. */
  readonly good: boolean;
  readonly log: string;
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

/** Where a fork is and whom it talks to. */
export interface ForkOptions {
  readonly folder: string;
  readonly sandbox: Sandbox;
  /** Text of the files in `apps/`, by the name of their export. */
  readonly apps: Readonly<Record<string, string>>;
  readonly settings: Settings;
  /** Environment of every job: where GitHub's API is, and how a job is told. */
  readonly environment: Readonly<Record<string, string>>;
  /** Secrets of the stack's environment, and the token of GitHub. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * A fork of the project, whose workflows the runner `act` runs as they are, on this machine instead of in containers, with small
 * actions in the place of those that need the internet. What GitHub itself does is not here: permissions, environments,
 * concurrency, the signing identity, runners of other processors; nor is actions/checkout, which act does by itself.
 */
export class WorkflowFork {
  private runs = 0;
  private readonly repository: string;

  constructor(private readonly options: ForkOptions) {
    const { folder, apps, settings } = options;
    this.repository = join(folder, "fork");
    for (const name of ["cache", "artifacts", "bin", "home"]) mkdirSync(join(folder, name), { recursive: true });
    copyProgram(this.repository, apps, { libraries: false });
    copyParts(this.repository);
    leaveOutUnknown(join(this.repository, ".github", "workflows", "mirror.yml"));
    const config = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`multiarch-mirror:${key}`, value]),
    );
    writeFileSync(join(this.repository, "Pulumi.prod.yaml"), stringify({ config }));
    writeFileSync(join(this.repository, ".gitignore"), "node_modules/\n");
    for (const [name, script] of Object.entries(standIns)) this.writeAction(name, script);
    cpSync(join(__dirname, "actions", "npm.cjs"), join(folder, "bin", "npm"));
    chmodSync(join(folder, "bin", "npm"), 0o755);
    const git = (...args: readonly string[]): void =>
      void execFileSync("git", ["-c", "user.name=fork", "-c", "user.email=fork@example.org", ...args], {
        cwd: this.repository,
      });
    git("init", "--quiet", "--initial-branch", "main");
    git("add", "--all");
    git("commit", "--quiet", "--message", "Mirror into my namespace");
    git("remote", "add", "origin", "https://github.com/acme/mirror.git");
  }

  async run({
    workflow = "mirror.yml",
    event,
    inputs,
    payload,
    variables = {},
    run,
  }: WorkflowEvent): Promise<WorkflowRun> {
    const { id, attempt } = run ?? { id: (this.runs += 1), attempt: 1 };
    const { folder, secrets, sandbox } = this.options;
    const file = join(folder, "event.json");
    writeFileSync(file, JSON.stringify({ ...(inputs && { inputs }), ...(payload && { client_payload: payload }) }));
    const flags = [
      ...["ubuntu-24.04", "ubuntu-24.04-arm"].flatMap((label) => ["--platform", `${label}=-self-hosted`]),
      ...Object.entries(secrets).flatMap(([name, value]) => ["--secret", `${name}=${value}`]),
      ...Object.keys(standIns).flatMap((name) => ["--local-repository", this.replacement(name)]),
      ...["--env", `GITHUB_RUN_ID=${id}`, "--env", `GITHUB_RUN_ATTEMPT=${attempt}`],
      ...["--env", `GITHUB_API_URL=${this.options.environment["GITHUB_API_URL"] ?? ""}`],
      ...Object.entries({ REGISTRY: sandbox.urls.registry, ...variables }).flatMap(([name, value]) => [
        "--var",
        `${name}=${value}`,
      ]),
      ...["--actor", "forker", "--no-cache-server", "--concurrent-jobs", "1"],
    ];
    const args = [event, "--workflows", `.github/workflows/${workflow}`, "--eventpath", file, "--json", ...flags];
    return report(await this.act(args));
  }

  private act(args: readonly string[]): Promise<{ readonly good: boolean; readonly output: string }> {
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
    };
    return new Promise((resolve) => {
      const options = { cwd: this.repository, env, timeout: 840_000, maxBuffer: 256 * 1024 * 1024 };
      execFile("act", [...args], options, (error, stdout, stderr) =>
        resolve({ good: error === null, output: `${stdout}${stderr}` }),
      );
    });
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

function copyParts(folder: string): void {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...parts], {
    cwd: checkout,
    encoding: "utf8",
  });
  for (const path of new Set(listed.split("\0").filter((name) => name !== "" && !name.startsWith("tools/go/")))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(checkout, path), join(folder, path), { force: true });
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
function report({ good, output }: { readonly good: boolean; readonly output: string }): WorkflowRun {
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
    good,
    log: lines.map(({ job = "", msg = "" }) => `${job}: ${msg.trimEnd()}`).join("\n"),
    jobs: Object.fromEntries(ended),
  };
}
