import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

const repository = "https://github.com/huggingface/text-embeddings-inference";
const armDockerfile = "Dockerfile-arm64";

/** Serves text embedding models, on processors. The releases up to 1.9.3 have no Dockerfile for arm64: of them it is not offered. */
export const textEmbeddingsInference: AppSpecification = {
  name: "text-embeddings-inference",
  title: "Text Embeddings Inference",
  description: "Server for text embedding models, for processors",
  licenses: "Apache-2.0",
  url: repository,
  reason: "Upstream publishes releases for linux/amd64 only.",
  source: { kind: "gitTags", url: `${repository}.git` },
  dockerfile: { "linux/amd64": "Dockerfile", "linux/arm64": armDockerfile },
  files: ({ architecture, commit }) =>
    architecture === "arm64" ? [{ url: `${repository}/raw/${commit}/${armDockerfile}` }] : [],
  official: { reference: ({ version }) => `ghcr.io/huggingface/text-embeddings-inference:cpu-${version}` },
  smoke: {
    command: ["text-embeddings-router", "--version"],
    expect: ({ version }) => new RegExp(`${literally(version)}$`, "m"),
  },
};
