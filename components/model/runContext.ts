import type { BuildRecord } from "./buildRecord";

/** Builder named in the provenance of versions built outside GitHub Actions. */
export const localBuilder = "https://multiarch-mirror.github.io/builder/v1";

/** The parts of a build record that the present run supplies. */
export interface RunContext {
  readonly builder: BuildRecord["builder"];
  readonly project?: NonNullable<BuildRecord["project"]>;
  readonly run: Omit<BuildRecord["run"], "finishedOn">;
}

/**
 * Who builds, by the environment GitHub Actions sets: builder is the workflow file at its reference, the invocation the
 * URL of the run with its attempt. Elsewhere the builder is the project itself and there is no invocation.
 * @param startedOn when the run began, ISO 8601, UTC.
 * @param commit the project's commit, where neither GITHUB_SHA gives it nor MIRROR_PROJECT_PATH, which `action.yml` sets.
 */
export function runContext(environment: NodeJS.ProcessEnv, startedOn: string, commit?: string): RunContext {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_REPOSITORY: repository,
    GITHUB_RUN_ID: id,
    GITHUB_WORKFLOW_REF: workflow,
  } = environment;
  if (!server || !repository || !id || !workflow) return { builder: { id: localBuilder }, run: { startedOn } };
  const project = projectOf(environment, commit);
  const attempt = environment["GITHUB_RUN_ATTEMPT"] ?? "1";
  return {
    builder: { id: `${server}/${workflow}` },
    run: { invocationId: `${server}/${repository}/actions/runs/${id}/attempts/${attempt}`, startedOn },
    ...(project && { project }),
  };
}

/** As an action of another repository's workflow the project lies where GitHub put that commit of it: `_actions/OWNER/NAME/COMMIT`. */
function projectOf(environment: NodeJS.ProcessEnv, commit: string | undefined): RunContext["project"] {
  const { GITHUB_SERVER_URL: server, MIRROR_PROJECT_PATH: place, GITHUB_REPOSITORY: repository } = environment;
  if (!place) {
    const own = environment["GITHUB_SHA"] ?? commit;
    return own ? { repository: `${server}/${repository}`, commit: own } : undefined;
  }
  const [, name, ref] = /\/_actions\/([^/]+\/[^/]+)\/([0-9a-f]{40})\/?$/.exec(place) ?? [];
  return name && ref ? { repository: `${server}/${name}`, commit: ref } : undefined;
}
