import { RunError } from "@pulumi/pulumi";
import { ConfigError } from "../config/configError";
import type { Configuration } from "../configure";
import type { HandedOver } from "../survey/surveyApps";
import { readDigestFolder } from "./digestFolder";

/**
 * The images build runs handed over to this one; none unless it is a publishing run.
 * @throws RunError with a line for every mistake in the files.
 */
export async function readHandedOver({ registry, namespace, run }: Configuration): Promise<HandedOver> {
  if (run.phase !== "publish" || run.digests === undefined) return {};
  try {
    return await readDigestFolder(run.digests, (app) => `${registry}/${namespace}/${app}`);
  } catch (error) {
    throw error instanceof ConfigError ? new RunError(error.message) : error;
  }
}
