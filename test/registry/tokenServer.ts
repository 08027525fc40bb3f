import { errorBody, type FakeRegistry } from "./fakeRegistry";

/** Makes the registry want tokens, numbered in the order they are handed out. */
export function wantTokens(
  registry: FakeRegistry,
  options: { readonly lifetime?: number; readonly accepts?: (authorization: string) => boolean } = {},
): void {
  const accepts = options.accepts ?? ((authorization) => authorization.startsWith("Bearer t"));
  let count = 0;
  registry.rule(({ path, authorization = "" }) => {
    if (path.startsWith("/token")) {
      return {
        body: JSON.stringify({ token: `t${++count}`, ...(options.lifetime && { expires_in: options.lifetime }) }),
      };
    }
    if (accepts(authorization)) return undefined;
    const challenge = `Bearer realm="http://${registry.host}/token",service="a, \\"service\\"",scope="repository:x/y:pull"`;
    const scoped = path === "/v2/" ? challenge : challenge.replace("x/y", path.split("/").slice(2, 4).join("/"));
    return { status: 401, ...errorBody("UNAUTHORIZED"), headers: { "www-authenticate": scoped } };
  });
}
