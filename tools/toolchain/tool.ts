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
  | "mmdebstrap";

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

/** One pinned program. */
export interface Tool {
  readonly name: ToolName;
  /** Semantic version without `v`; undefined accepts whatever the machine has. */
  readonly version: string | undefined;
  readonly question: VersionQuestion;
  /** Name of the resource plugin for `pulumi plugin install resource`, when it is one. */
  readonly plugin?: string;
  readonly source: Source;
}
