import type { AppSpecification } from "../components/model/appSpecification";
import { esbuild } from "./esbuild";
import { helloFlask } from "./helloFlask";
import { kyuubi } from "./kyuubi";
import { mattermost } from "./mattermost";
import { mostlymatter } from "./mostlymatter";
import { openstreetmapTileServer } from "./openstreetmapTileServer";
import { osmiumTool } from "./osmiumTool";
import { baseOutline, outline } from "./outline";
import { pastefy } from "./pastefy";
import { rtcd } from "./rtcd";
import { textEmbeddingsInference } from "./textEmbeddingsInference";
import { xxlJobAdmin } from "./xxlJobAdmin";

/** Every app this project knows. A stack mirrors those its configuration names. */
export const apps: readonly AppSpecification[] = [
  mattermost,
  mostlymatter,
  baseOutline,
  outline,
  helloFlask,
  esbuild,
  kyuubi,
  openstreetmapTileServer,
  osmiumTool,
  pastefy,
  rtcd,
  textEmbeddingsInference,
  xxlJobAdmin,
];
