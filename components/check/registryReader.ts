import type { RegistryClient } from "../registry/registryClient";

/** What the checks need of a registry client: manifests and configurations, and blobs whose digest is verified as they pass. */
export type RegistryReader = Pick<RegistryClient, "manifest" | "imageConfig" | "blob">;
