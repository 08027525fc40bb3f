import type { MirrorUnderTest } from "../../e2e/support/mirrorUnderTest";

/** Every manifest that was ever written by its digest, as application and digest, out of the request log. */
export function publishedManifests({ sandbox }: MirrorUnderTest): readonly (readonly [app: string, digest: string])[] {
  const written = sandbox.requestLog("registry").flatMap(({ method, path, status }) => {
    const [, app, digest] = /^\/v2\/mirror\/([^?]+)\/manifests\/(sha256:[0-9a-f]{64})$/.exec(path) ?? [];
    const succeeded = method === "PUT" && typeof status === "number" && status < 300;
    return succeeded && app !== undefined && digest !== undefined ? [[app, digest] as const] : [];
  });
  return [...new Map(written.map((entry) => [entry.join("@"), entry])).values()];
}
