import { sdkVersion } from "./standInLauncher";
import type { Source, Tool, ToolName, Vendor } from "./tool";

const asked = (...args: readonly string[]) => ({ ask: "command", args }) as const;

function go(module: string, name: string, variables: Readonly<Record<string, string>> = {}): Source {
  return { from: "go", module, package: name, variables };
}

function debian(name: ToolName, packageName: string): Tool {
  const question = name === "openssl" ? asked("version") : asked("--version");
  return { name, version: undefined, question, source: { from: "debian", package: packageName } };
}

/** Images are named by version: what is behind a tag of these vendors does not change, and the program is asked for its version. */
function image(name: string, program: string): Vendor {
  return { by: "image", image: name, program };
}

function plugin(name: "command" | "github"): Tool {
  return {
    name: `pulumi-resource-${name}`,
    version: sdkVersion(name),
    question: { ask: "provider" },
    vendor: { by: "pulumi", plugin: name },
    source: { from: "standIn", package: name },
  };
}

const pulumiVersion = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const releaseVersion = "sigs.k8s.io/release-utils/version.gitVersion";
const buildkitVersion = { "github.com/moby/buildkit/version.Version": "v0.31.0" };

/**
 * Every program the sandbox and the tests use: its version, and where it comes from. The order is the same for all: PATH, if the
 * version fits; what an earlier run left; the vendor's own program, if there is a way to it; what `source` says.
 */
export const tools: readonly Tool[] = [
  {
    name: "pulumi",
    version: "3.259.0",
    question: asked("version"),
    vendor: { by: "npm", release: "3.259.0" },
    source: go("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", { [pulumiVersion]: "v3.259.0" }),
  },
  {
    // The last one published as a Go module; later ones come with the CLI. It serves any CLI of major version 3.
    name: "pulumi-language-nodejs",
    version: "3.66.0",
    question: { ask: "languageHost" },
    vendor: { by: "npm", release: "3.259.0" },
    source: go("pulumi-language-nodejs", "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs", {
      [pulumiVersion]: "3.66.0",
    }),
  },
  {
    name: "pulumi-resource-docker-build",
    version: "0.0.22",
    question: { ask: "provider" },
    vendor: { by: "pulumi", plugin: "docker-build" },
    source: go("buildkit", "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build", {
      "github.com/pulumi/pulumi-docker-build/provider.Version": "0.0.22",
    }),
  },
  plugin("command"),
  plugin("github"),
  {
    name: "buildkitd",
    version: "0.31.0",
    question: asked("--version"),
    vendor: image("moby/buildkit:v0.31.0", "/usr/bin/buildkitd"),
    source: go("buildkit", "github.com/moby/buildkit/cmd/buildkitd", buildkitVersion),
  },
  {
    name: "buildctl",
    version: "0.31.0",
    question: asked("--version"),
    vendor: image("moby/buildkit:v0.31.0", "/usr/bin/buildctl"),
    source: go("buildkit", "github.com/moby/buildkit/cmd/buildctl", buildkitVersion),
  },
  {
    name: "buildx",
    version: "0.35.0",
    question: asked("version"),
    vendor: image("docker/buildx-bin:0.35.0", "/buildx"),
    source: go("buildkit", "github.com/docker/buildx/cmd/buildx", {
      "github.com/docker/buildx/version.Version": "v0.35.0",
    }),
  },
  {
    name: "registry",
    version: "3.0.0",
    question: asked("--version"),
    vendor: image("registry:3.0.0", "/bin/registry"),
    source: go("registry", "github.com/distribution/distribution/v3/cmd/registry"),
  },
  {
    name: "olareg",
    version: "0.2.1",
    question: asked("version"),
    vendor: image("ghcr.io/olareg/olareg:v0.2.1", "/olareg"),
    source: go("olareg", "github.com/olareg/olareg/cmd/olareg"),
  },
  {
    // Serves the registry of go-containerregistry.
    name: "crane",
    version: "0.22.1",
    question: asked("version"),
    source: go("crane", "github.com/google/go-containerregistry/cmd/crane", {
      "github.com/google/go-containerregistry/cmd/crane/cmd.Version": "0.22.1",
    }),
  },
  {
    name: "regctl",
    version: "0.11.7",
    question: asked("version"),
    vendor: image("ghcr.io/regclient/regctl:v0.11.7", "/regctl"),
    source: go("regctl", "github.com/regclient/regclient/cmd/regctl"),
  },
  {
    // For the benchmarks only.
    name: "regsync",
    version: "0.11.7",
    question: asked("version"),
    source: go("regsync", "github.com/regclient/regclient/cmd/regsync"),
  },
  {
    name: "cosign",
    version: "3.1.3",
    question: asked("version"),
    vendor: image("ghcr.io/sigstore/cosign/cosign:v3.1.3", "/ko-app/cosign"),
    source: go("cosign", "github.com/sigstore/cosign/v3/cmd/cosign", {
      [releaseVersion]: "v3.1.3",
    }),
  },
  {
    name: "syft",
    version: "1.52.0",
    question: asked("version"),
    vendor: image("anchore/syft:v1.52.0", "/syft"),
    source: go("syft", "github.com/anchore/syft/cmd/syft", { "main.version": "1.52.0" }),
  },
  // A private Sigstore, for the end-to-end test of keyless signing only.
  {
    name: "fulcio",
    version: "1.8.8",
    question: asked("version"),
    source: go("fulcio", "github.com/sigstore/fulcio", { [releaseVersion]: "v1.8.8" }),
  },
  {
    // It tells no version; its sources are pinned all the same.
    name: "tesseract",
    version: undefined,
    question: asked("-h"),
    source: go("tesseract", "github.com/transparency-dev/tesseract/cmd/tesseract/posix"),
  },
  {
    name: "timestamp-server",
    version: "2.1.3",
    question: asked("version"),
    source: go("timestamp-server", "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server", {
      [releaseVersion]: "v2.1.3",
    }),
  },
  {
    name: "rekor-server",
    version: "2.3.0",
    question: asked("version"),
    source: go("rekor-tiles", "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix", {
      [releaseVersion]: "v2.3.0",
    }),
  },
  {
    // Runs the workflows, for the tests of them only.
    name: "act",
    version: "0.2.89",
    question: asked("--version"),
    source: go("act", "github.com/nektos/act"),
  },
  {
    name: "actionlint",
    version: "1.7.12",
    question: asked("--version"),
    source: go("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),
  },
  {
    name: "zizmor",
    version: "1.32.0",
    question: asked("--version"),
    source: { from: "python", package: "zizmor" },
  },
  debian("docker-registry", "docker-registry"),
  debian("runc", "runc"),
  debian("qemu-aarch64-static", "qemu-user-static"),
  debian("git", "git"),
  debian("openssl", "openssl"),
  debian("mmdebstrap", "mmdebstrap"),
  // The catalogue's pages are tried in it.
  debian("chromium", "chromium"),
];

/** The image a program's vendor publishes it in; undefined for one without. */
export function imageOf(name: ToolName): string | undefined {
  const vendor = tools.find((tool) => tool.name === name)?.vendor;
  return vendor?.by === "image" ? vendor.image : undefined;
}
