/** An action as its own `action.yml` describes it, at the commit the workflows pin. */
export interface ActionInterface {
  readonly commit: string;
  /** All inputs it accepts. */
  readonly inputs: readonly string[];
  /** Those without which it fails. */
  readonly required?: readonly string[];
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

const cache = {
  commit: "27d5ce7f107fe9357f9df03efb73ab90386fccae",
  required: ["path", "key"],
} as const;

/** Every action the workflows use, by the path `uses` names. */
export const actions: Readonly<Record<string, ActionInterface>> = {
  "actions/checkout": {
    commit: "3d3c42e5aac5ba805825da76410c181273ba90b1",
    inputs:
      words(`repository ref token ssh-key ssh-known-hosts ssh-strict ssh-user persist-credentials path clean filter
      sparse-checkout sparse-checkout-cone-mode fetch-depth fetch-tags show-progress lfs submodules set-safe-directory
      github-server-url allow-unsafe-pr-checkout`),
  },
  "actions/setup-node": {
    commit: "820762786026740c76f36085b0efc47a31fe5020",
    inputs: words(`node-version node-version-file architecture check-latest registry-url scope token cache
      package-manager-cache cache-dependency-path mirror mirror-token`),
  },
  "actions/setup-go": {
    commit: "b7ad1dad31e06c5925ef5d2fc7ad053ef454303e",
    inputs: words(`go-version go-version-file check-latest token cache cache-dependency-path architecture
      go-download-base-url`),
  },
  "actions/cache": {
    ...cache,
    inputs: words(
      "path key restore-keys upload-chunk-size enableCrossOsArchive fail-on-cache-miss lookup-only save-always",
    ),
  },
  "actions/cache/restore": {
    ...cache,
    inputs: words("path key restore-keys enableCrossOsArchive fail-on-cache-miss lookup-only"),
  },
  "actions/cache/save": { ...cache, inputs: words("path key upload-chunk-size enableCrossOsArchive") },
  "actions/upload-artifact": {
    commit: "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    inputs: words(
      "name path if-no-files-found retention-days compression-level overwrite include-hidden-files archive",
    ),
    required: ["path"],
  },
  "actions/download-artifact": {
    commit: "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    inputs: words(`name artifact-ids path pattern merge-multiple github-token repository run-id skip-decompress
      digest-mismatch`),
  },
  "actions/upload-pages-artifact": {
    commit: "fc324d3547104276b827a68afc52ff2a11cc49c9",
    inputs: words("name path retention-days include-hidden-files"),
    required: ["path"],
  },
  "actions/deploy-pages": {
    commit: "cd2ce8fcbc39b97be8ca5fce6e763baed58fa128",
    inputs: words("token timeout error_count reporting_interval artifact_name preview"),
  },
  "docker/login-action": {
    commit: "4907a6ddec9925e35a0a9e82d7399ccc52663121",
    inputs: words("registry username password ecr scope logout registry-auth"),
  },
  "docker/setup-qemu-action": {
    commit: "96fe6ef7f33517b61c61be40b68a1882f3264fb8",
    inputs: words("image platforms reset cache-image"),
  },
  "docker/setup-buildx-action": {
    commit: "37fe631027851001ddb9b187196cc803df7f5f0e",
    inputs: words(`version driver driver-opts buildkitd-flags buildkitd-config buildkitd-config-inline use name endpoint
      platforms append keep-state cache-binary cleanup`),
  },
  "crazy-max/ghaction-github-runtime": {
    commit: "04d248b84655b509d8c44dc1d6f990c879747487",
    inputs: ["github-token"],
  },
  "pulumi/actions": {
    commit: "8e5e406f4007fca908480587cb9893c07090f58d",
    inputs: words(`command stack-name pulumi-version pulumi-version-file work-dir comment-on-pr comment-on-pr-number
      comment-on-summary github-token cloud-url secrets-provider parallel message config-map expect-no-changes diff replace
      exclude exclude-dependents target target-dependents policyPacks policyPackConfigs refresh upsert remove
      edit-pr-comment color exclude-protected plan suppress-outputs suppress-progress always-include-summary
      continue-on-error log-verbosity log-flow debug`),
  },
  "sigstore/cosign-installer": {
    commit: "6f9f17788090df1f26f669e9d70d6ae9567deba6",
    inputs: words("cosign-release install-dir use-sudo"),
  },
  "anchore/sbom-action/download-syft": {
    commit: "e22c389904149dbc22b58101806040fa8d37a610",
    inputs: words("run syft-version"),
  },
};
