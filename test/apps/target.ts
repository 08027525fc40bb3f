import { createHash } from "node:crypto";
import type { AppSpecification, BuildTarget } from "../../components/model/appSpecification";
import type { Platform } from "../../components/model/platform";
import { collectVersions } from "../../components/decide/versions";
import type { Keep } from "../../components/model/appSpecification";
import { selectWindow } from "../../components/decide/window";
import { buildTarget } from "../../components/model/release";

const commit = "c".repeat(40);

/** What the functions of an app file receive for a version and platform. */
export function target(version: string, platform: Platform, tag = `v${version}`): BuildTarget {
  return buildTarget({ version, tag, reference: "tag", commit }, platform);
}

/** The versions an app's window holds when upstream has these tags, each of a commit of its own. */
export function windowOf(app: AppSpecification, tags: readonly string[], keep: Keep): readonly string[] {
  const { releases } = collectVersions(
    tags.map((tag) => ({ tag, commit: createHash("sha1").update(tag).digest("hex") })),
    app,
  );
  return selectWindow(releases, { keep, now: new Date("2026-11-01T00:00:00Z") }).releases.map(({ version }) => version);
}
