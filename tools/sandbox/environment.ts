import { mirroredBy } from "./builder";
import type { Certificate } from "./certificate";
import type { Engine } from "./engine";
import type { SandboxPart } from "./faultRule";
import type { Layout } from "./layout";
import type { NameProxy } from "./registryName";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string>>;

interface Reached {
  readonly registry: string;
  readonly proxy: NameProxy | undefined;
  readonly engine: Engine | undefined;
}

/**
 * What a shell or child process needs to use the sandbox: the Pulumi CLI, buildx, cosign and this program all take it from here.
 * Only values that differ from an ordinary environment are in it; PATH is complete.
 */
export function sandboxEnvironment(
  layout: Layout,
  path: string,
  certificate: Certificate,
  ports: Readonly<Record<SandboxPart, number>>,
  builder: string,
  { registry, proxy, engine }: Reached,
): Environment {
  const mirrors = Object.fromEntries(mirroredBy(registry).map((host) => [host, `${registry}/${host}`]));
  return {
    PATH: path,
    PULUMI_BACKEND_URL: `file://${layout.pulumi}`,
    PULUMI_CONFIG_PASSPHRASE: "sandbox",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // One failing version stops no other, also in a plain `pulumi up`.
    PULUMI_CONTINUE_ON_ERROR: "true",
    PULUMI_HOME: layout.in("pulumi-home"),
    BUILDX_CONFIG: layout.buildxConfig,
    BUILDX_BUILDER: builder,
    DOCKER_CONFIG: layout.dockerConfig,
    SSL_CERT_FILE: certificate.bundleFile,
    NODE_EXTRA_CA_CERTS: certificate.authorityFile,
    COSIGN_PASSWORD: "",
    ...(proxy && proxyVariables(proxy)),
    // Docker's configuration, which may name another one, is replaced.
    ...(engine && { DOCKER_HOST: engine.host }),
    GITHUB_BASE_URL: `http://localhost:${ports.releases}/api/v3/`,
    MIRROR_REGISTRY_MIRRORS: JSON.stringify(mirrors),
    MIRROR_SANDBOX_DIR: layout.folder,
    MIRROR_SANDBOX_REGISTRY: registry,
    MIRROR_SANDBOX_LOG: layout.requestLog("registry"),
    MIRROR_SANDBOX_GIT: `http://localhost:${ports.git}`,
    MIRROR_SANDBOX_RELEASES: `http://localhost:${ports.releases}`,
    MIRROR_SANDBOX_FILES: `http://localhost:${ports.files}`,
    MIRROR_SANDBOX_COSIGN_KEY: layout.in("keys", "cosign.key"),
    MIRROR_SANDBOX_COSIGN_PUB: layout.in("keys", "cosign.pub"),
    MIRROR_SANDBOX_SIGNING_CONFIG: layout.in("keys", "signing-config.json"),
  };
}

/** Makes clients reach the registry by its name. This machine itself is never reached through the proxy. */
export function proxyVariables({ url }: NameProxy): Environment {
  const direct = "localhost,127.0.0.1";
  return { HTTPS_PROXY: url, NO_PROXY: direct, no_proxy: direct };
}
