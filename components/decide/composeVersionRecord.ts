import type { BuildRecord, BuiltRecord } from "../model/buildRecord";
import type { Digest } from "../model/digest";
import { type PerPlatform, type Platform, platformEntries } from "../model/platform";
import { digestIn } from "../model/reference";
import type { VersionRecord } from "../model/versionRecord";

/** What a version's record is put together from. */
export interface VersionFacts {
  readonly version: string;
  /** The version's tag in the mirror. */
  readonly tag: string;
  /** `registry/namespace/name`. */
  readonly repository: string;
  /** The release the version stands for. */
  readonly upstream: VersionRecord["upstream"];
  /** Of the images that go into the version. */
  readonly records: readonly BuildRecord[];
  /** Platforms the tag holds already, all of which stay. */
  readonly present: PerPlatform<Digest>;
  /** Upstream's own manifests where they are copied, each `name@sha256:…`. */
  readonly copies?: PerPlatform<string>;
  /** Those of them that others published, and the stack takes over. */
  readonly adopted?: readonly Platform[];
}

type NewRecord = Exclude<BuildRecord, { readonly origin: "scanned" }>;

function isNew(record: BuildRecord): record is NewRecord {
  return record.origin !== "scanned";
}

/** Puts the record of a version together. The commit is the one its images were built from, wherever the tag points by now. */
export function composeVersionRecord(facts: VersionFacts): VersionRecord {
  const { version, tag, repository, records, present, copies = {}, adopted = [] } = facts;
  const builds = records.filter((record): record is BuiltRecord => record.origin === "built");
  const kept = platformEntries(present).map(([platform, digest]): [Platform, VersionRecord["platforms"][string]] => {
    const copy = copies[platform];
    if (copy !== undefined && digestIn(copy) === digest) return [platform, { origin: "copied", from: copy }];
    const own = `${repository}@${digest}`;
    return [platform, { origin: "kept", from: own, ...(adopted.includes(platform) && { adopted: true }) }];
  });
  const made = records
    .filter(isNew)
    .map((record): [Platform, VersionRecord["platforms"][string]] => [
      record.platform,
      record.origin === "built" ? { origin: "built" } : { origin: "copied", from: record.from },
    ]);
  return {
    version,
    tag,
    upstream: builds[0]?.upstream ?? facts.upstream,
    platforms: Object.fromEntries([...kept, ...made]),
    builds,
  };
}
