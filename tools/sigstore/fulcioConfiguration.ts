/**
 * Fulcio's configuration for one issuer of tokens like GitHub's: which claim becomes which extension of a certificate.
 * Source: `config/identity/config.yaml` of github.com/sigstore/fulcio, and its `docs/oid-info.md`.
 */
export function fulcioConfiguration(issuer: string): object {
  return {
    "oidc-issuers": {
      [issuer]: {
        "issuer-url": issuer,
        "client-id": "sigstore",
        type: "ci-provider",
        "ci-provider": "github-workflow",
      },
    },
    "ci-issuer-metadata": {
      "github-workflow": {
        "default-template-values": { url: "https://github.com" },
        "extension-templates": {
          "github-workflow-trigger": "event_name",
          "github-workflow-sha": "sha",
          "github-workflow-name": "workflow",
          "github-workflow-repository": "repository",
          "github-workflow-ref": "ref",
          "build-signer-uri": "{{ .url }}/{{ .job_workflow_ref }}",
          "build-signer-digest": "job_workflow_sha",
          "runner-environment": "runner_environment",
          "source-repository-uri": "{{ .url }}/{{ .repository }}",
          "source-repository-digest": "sha",
          "source-repository-ref": "ref",
          "source-repository-identifier": "repository_id",
          "source-repository-owner-uri": "{{ .url }}/{{ .repository_owner }}",
          "source-repository-owner-identifier": "repository_owner_id",
          "source-repository-visibility-at-signing": "repository_visibility",
          "build-config-uri": "{{ .url }}/{{ .workflow_ref }}",
          "build-config-digest": "workflow_sha",
          "build-trigger": "event_name",
          "run-invocation-uri": "{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}",
        },
        "subject-alternative-name-template": "{{ .url }}/{{ .job_workflow_ref }}",
      },
    },
  };
}
