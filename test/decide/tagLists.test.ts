import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { proposeTagRule } from "../../commands/newApp/proposeTagRule";
import { doubtAbout } from "../../components/decide/doubts";
import { collectVersions } from "../../components/decide/versions";
import { selectWindow } from "../../components/decide/window";
import lists from "./tagLists.json";

/** The newest sixty tags of forty projects in the autumn of 2026, and which of them a person would keep, the newest version first. */
const projects = Object.entries(lists).map(([name, { tags, versions }]) => ({
  name,
  candidates: tags.split(" ").map((tag) => ({ tag, commit: createHash("sha1").update(tag).digest("hex") })),
  versions: versions.split(" "),
}));

/** Schemes that no app without a rule of its own is read by. */
const refused = [
  ...["NLnetLabs/unbound", "curl/curl", "jitsi/docker-jitsi-meet", "linuxserver/docker-jackett"],
  ...["linuxserver/docker-nextcloud", "linuxserver/docker-plex", "minio/minio", "openssh/openssh-portable"],
  ...["photoprism/photoprism", "tonistiigi/binfmt"],
];

/** Programs of one repository: the rule takes the one that has most tags, and says that there are others. */
const several = "tonistiigi/binfmt";

type Project = (typeof projects)[number];

/** The ten highest versions by the tags upstream gave them, and what speaks against the first. */
function taken({ candidates }: Project, tagRule: RegExp | undefined) {
  const found = collectVersions(candidates, { ...(tagRule && { tagRule }) });
  const { releases } = selectWindow(found.releases, { keep: 10, now: new Date("2026-11-01T00:00:00Z") });
  return { versions: releases.map(({ tag }) => tag), doubt: doubtAbout(found, { tagRule, exclude: [] }) };
}

describe("the tags of other projects", () => {
  it("are of forty", () => {
    expect(projects).toHaveLength(40);
  });

  it.each(projects)("of $name are read as a person would, or not at all, without a rule", (project) => {
    const versions = refused.includes(project.name) ? [] : project.versions;
    expect(taken(project, undefined)).toEqual({ versions, doubt: undefined });
  });

  it.each(projects)("of $name are read as a person would by the rule that new-app proposes", (project) => {
    const { tagRule, doubt } = proposeTagRule(project.candidates);
    const told =
      'its tags are of several programs ("deploy/v10.2.3-68", "buildkit/v10.2.3-66", "desktop/v10.2.3-67"); say in the app\'s tagRule which is meant';
    expect(doubt).toBe(project.name === several ? told : undefined);
    expect(taken(project, tagRule)).toEqual({ versions: project.versions, doubt: undefined });
  });
});
