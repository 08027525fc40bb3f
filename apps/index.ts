import type { AppSpecification } from "../components/model/appSpecification";
import { esbuild } from "./esbuild";
import { helloFlask } from "./helloFlask";
import { mattermost } from "./mattermost";
import { mostlymatter } from "./mostlymatter";
import { baseOutline, outline } from "./outline";

/** Every app this project knows. A stack mirrors those its configuration names. */
export const apps: readonly AppSpecification[] = [mattermost, mostlymatter, baseOutline, outline, helloFlask, esbuild];
