import { RegistryWriter } from "../registry/registryWriter";

/**
 * Asks once per repository, of those anything is built for, whether this run may write there: a refusal is told before a build of
 * twenty minutes, not after it. Rejects with a RegistryError that names the registry's own words.
 */
export function writeAccess(environment: NodeJS.ProcessEnv): (repository: string) => Promise<void> {
  const known = new Map<string, Promise<void>>();
  return (repository) => {
    const asked = known.get(repository) ?? ask(repository, environment);
    known.set(repository, asked);
    return asked;
  };
}

async function ask(repository: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const writer = new RegistryWriter(environment);
  try {
    await writer.tryWriting(repository);
  } finally {
    await writer.close();
  }
}
