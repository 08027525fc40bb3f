/** Everything the toolchain can provide. */
export type ToolName =
  | "pulumi"
  | "pulumi-language-nodejs"
  | "pulumi-resource-docker-build"
  | "pulumi-resource-command"
  | "pulumi-resource-github"
  | "buildkitd"
  | "buildctl"
  | "buildx"
  | "registry"
  | "olareg"
  | "docker-registry"
  | "crane"
  | "regctl"
  | "regsync"
  | "cosign"
  | "syft"
  | "fulcio"
  | "tesseract"
  | "timestamp-server"
  | "rekor-server"
  | "act"
  | "actionlint"
  | "zizmor"
  | "runc"
  | "qemu-aarch64-static"
  | "git"
  | "openssl"
  | "mmdebstrap"
  | "chromium";

/** How a program tells its version: by an argument, or as a Pulumi plugin over gRPC. */
export type VersionQuestion =
  | { readonly ask: "command"; readonly args: readonly string[] }
  | { readonly ask: "provider" }
  | { readonly ask: "languageHost" };

/** Where a program comes from when the machine has none that fits. */
export type Source =
  | {
      /** `go build` in `tools/go/<module>`, whose go.sum pins every source. */
      readonly from: "go";
      readonly module: string;
      readonly package: string;
      /** Linker variables that carry the version. */
      readonly variables: Readonly<Record<string, string>>;
    }
  | { readonly from: "debian"; readonly package: string }
  | { readonly from: "python"; readonly package: string }
  /** A provider of our own, for a Pulumi package whose plugin cannot be installed. */
  | { readonly from: "standIn"; readonly package: "command" | "github" };

/** A way to the program its vendor publishes; without internet it leads nowhere, and is tried once. */
export type Vendor =
  | {
      /** `pulumi plugin install resource <plugin>`. */
      readonly by: "pulumi";
      readonly plugin: string;
    }
  | {
      /** The npm package `pulumi`, which carries no program: it fetches CLI and language hosts when it first runs. */
      readonly by: "npm";
      /** Version of the CLI. */
      readonly release: string;
    }
  | {
      /** Copied out of the image its vendor publishes, where a Docker Engine runs. */
      readonly by: "image";
      readonly image: string;
      /** Path of the program in it. */
      readonly program: string;
    };

/** One pinned program. */
export interface Tool {
  readonly name: ToolName;
  /**
   * Semantic version without `v`: what is installed or built, and the oldest of its major version that is taken from PATH.
   * Undefined accepts whatever the machine has.
   */
  readonly version: string | undefined;
  readonly question: VersionQuestion;
  /** Who is asked for the vendor's own program before any is built. */
  readonly vendor?: Vendor;
  readonly source: Source;
}
