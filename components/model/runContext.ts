import type { BuildRecord } from "./buildRecord";

/** Builder named in the provenance of versions built outside GitHub Actions. */
const localBuilder = "https://multiarch-mirror.github.io/builder/v1";

/** The parts of a build record that the present run supplies. */
export interface RunContext {
  readonly builder: BuildRecord["builder"];
  readonly project?: NonNullable<BuildRecord["project"]>;
  readonly run: Omit<BuildRecord["run"], "finishedOn">;
}

/**
 * Who builds, by the environment GitHub Actions sets: builder is the workflow file at its commit, the invocation the URL of the
 * run with its attempt. Elsewhere the builder is the project itself and there is no invocation.
 * @param startedOn when the run began, ISO 8601, UTC.
 * @param checkedOut the project's own repository and commit, where it runs from a checkout and not as an action (`action.yml`).
 */
export function runContext(
  environment: NodeJS.ProcessEnv,
  startedOn: string,
  checkedOut?: NonNullable<RunContext["project"]>,
): RunContext {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: repository,
    GITHUB_RUN_ID: id,
    GITHUB_WORKFLOW_REF: workflow,
    GITHUB_WORKFLOW_SHA: commit,
  } = environment;
  const project = environment["MIRROR_PROJECT_PATH"] ? calledAction(environment) : checkedOut;
  const named = project && { project };
  if (!server || !repository || !id || !workflow)
    return { builder: { id: localBuilder }, run: { startedOn }, ...named };
  const attempt = environment["GITHUB_RUN_ATTEMPT"] ?? "1";
  const file = commit ? `${workflow.split("@")[0]}@${commit}` : workflow;
  return {
    builder: { id: `${server}/${file}` },
    run: { invocationId: `${server}/${repository}/actions/runs/${id}/attempts/${attempt}`, startedOn },
    ...named,
  };
}

/** As an action of another repository's workflow the project lies where GitHub put that commit of it: `_actions/OWNER/NAME/COMMIT`. */
function calledAction({
  GITHUB_SERVER_URL: server,
  MIRROR_PROJECT_PATH: place = "",
}: NodeJS.ProcessEnv): RunContext["project"] {
  const [, name, ref] = /\/_actions\/([^/]+\/[^/]+)\/([0-9a-f]{40})\/?$/.exec(place) ?? [];
  return name && ref ? { repository: `${server}/${name}`, commit: ref } : undefined;
}
