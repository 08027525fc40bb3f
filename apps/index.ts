import type { AppSpecification } from "../components/plan/appSpecification";
import { esbuild } from "./esbuild";

/** Every app this project knows. A stack mirrors those its configuration names. */
export const apps: readonly AppSpecification[] = [esbuild];
