import { restApi, type RestApiOptions } from "../../components/discover/restApi";

/**
 * Finds out on whose behalf the provider works, with the requests the official one sends, and fails where it fails. Without an
 * owner it asks whose token it has, which GitHub answers the token of a workflow or of an app with 403. An owner may be no
 * organisation (404); any other answer is a failure. Without owner and token nothing is asked.
 *
 * Source: configureProviderMeta in provider.go of integrations/terraform-provider-github 6.13.0.
 *
 * @throws Error as the provider words it
 */
export async function owner(given: string | undefined, options: RestApiOptions): Promise<string | undefined> {
  if (given === undefined && options.token === undefined) {
    return undefined;
  }
  const name = given ?? (await loginOf(options));
  try {
    await restApi(`orgs/${encodeURIComponent(name)}`, options);
  } catch (cause) {
    throw failed(`failed to lookup organization ${JSON.stringify(name)}`, cause);
  }
  return name;
}

async function loginOf(options: RestApiOptions): Promise<string> {
  try {
    const { code, body, status } = await restApi("user", options);
    if (code !== 200) {
      throw new Error(status);
    }
    return (JSON.parse(body) as { login: string }).login;
  } catch (cause) {
    throw failed("owner cannot be found by token", cause);
  }
}

function failed(what: string, cause: unknown): Error {
  return new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
