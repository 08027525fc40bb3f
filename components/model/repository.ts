/** Where all repositories of a stack are: a registry, and the path in it under which every app has its own. */
export interface RepositorySpace {
  /** Host, with a port where one is given. */
  readonly registry: string;
  readonly namespace: string;
}

/** The repository of an app, `registry/namespace/app`: the form in which repositories are handed around and recorded. */
export function repositoryOf({ registry, namespace }: RepositorySpace, app: string): string {
  return `${registry}/${namespace}/${app}`;
}

/** The app a repository is of. */
export function appOf(repository: string): string {
  return repository.slice(repository.lastIndexOf("/") + 1);
}

/** The repository of another app of the same stack. */
export function siblingOf(repository: string, app: string): string {
  return `${repository.slice(0, repository.lastIndexOf("/"))}/${app}`;
}
