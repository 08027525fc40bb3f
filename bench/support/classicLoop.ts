import type { BenchApp } from "./benchApp";
import type { Workshop } from "./workshop";

/** What a shell script does that has no better idea. */
export async function classicLoop(workshop: Workshop, namespace: string, apps: readonly BenchApp[]): Promise<number> {
  const references = apps.flatMap(({ name, versions }) =>
    versions.map(({ version }) => workshop.registry(namespace).name(name, version)),
  );
  const script = 'for image in "$@"; do docker manifest inspect --insecure "$image" > /dev/null || exit 1; done';
  return (await workshop.run(["sh", "-c", script, "sh", ...references])).seconds;
}
