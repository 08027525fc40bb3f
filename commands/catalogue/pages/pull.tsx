import { h } from "./markup";
import { Snippet } from "./parts";

/** How to get an image with its digest, so that nobody has to believe a tag. */
export function Pull(props: {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly name: string;
}) {
  const { repository, tag, digest, name } = props;
  const reference = `${repository}:${tag}@${digest}`;
  return (
    <section aria-labelledby="pull">
      <h2 id="pull">Pull</h2>
      <div class="pull">
        <h3>Docker</h3>
        <Snippet name="Docker command" text={`docker pull ${reference}`} />
        <h3>Podman</h3>
        <Snippet name="Podman command" text={`podman pull ${repository}@${digest}`} />
        <h3>Kubernetes</h3>
        <Snippet name="Kubernetes container" text={`containers:\n  - name: ${name}\n    image: ${reference}`} />
      </div>
    </section>
  );
}
