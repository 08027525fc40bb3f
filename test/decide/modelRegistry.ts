import type { Digest } from "../../components/model/digest";
import { type VersionFacts, decideVersion, type VersionPlan } from "../../components/decide/versionPlan";
import type { Platform } from "../../components/model/platform";
import type { Probe } from "../../components/model/probe";
import type { PublishedVersion } from "../../components/model/published";

/** What one run is confronted with. */
export interface Circumstances {
  readonly wanted: readonly Platform[];
  /** Of these, the ones upstream offers nothing for. */
  readonly notOffered: readonly Platform[];
  readonly inWindow: boolean;
  /** Answers the registry fails to give: about the tag, about recorded manifests of these platforms. */
  readonly silent: { readonly tag: boolean; readonly manifests: readonly Platform[] };
  /** Platforms whose build fails. */
  readonly broken: readonly Platform[];
  /** The run dies after writing the tag, before it records anything. */
  readonly dies: boolean;
}

type Children = readonly { readonly platform: Platform | "other"; readonly digest: Digest }[];

const repository = "localhost/mirror/app";

/**
 * A registry with one version's tag, and a stack that manages it: the plan is carried out as the components do it.
 * It has no way to delete or overwrite anything but by what a plan says.
 */
export class ModelRegistry {
  /** What every index digest stands for. */
  private readonly contents = new Map<Digest, Children>();
  readonly manifests = new Set<Digest>();
  tag: Digest | undefined;
  managed: PublishedVersion | undefined;
  private made = 0;

  /** Somebody deletes the manifest of a platform, or the index itself when no platform is named. */
  lose(platform?: Platform): void {
    const gone =
      platform === undefined ? this.tag : this.children().find((child) => child.platform === platform)?.digest;
    if (gone !== undefined) this.manifests.delete(gone);
  }

  removeTag(): void {
    this.tag = undefined;
  }

  /** Somebody else publishes under the tag, or replaces what it names. */
  publishElsewhere(platforms: readonly Platform[], withAttestation: boolean): void {
    const children: Children = [
      ...platforms.map((platform) => ({ platform, digest: this.push() })),
      ...(withAttestation ? [{ platform: "other" as const, digest: this.push() }] : []),
    ];
    this.tag = this.index(children);
  }

  forget(): void {
    this.managed = undefined;
  }

  /** What the tag names that really exists, by platform; attestations are `other`. */
  holdings(): Readonly<Record<string, Digest>> {
    const existing = this.children().filter(({ digest }) => this.manifests.has(digest));
    return Object.fromEntries(existing.map(({ platform, digest }) => [platform, digest]));
  }

  /** All that the tag's index lists, whether it exists or not; nothing when there is no such index. */
  listed(): readonly Digest[] {
    return this.children().map(({ digest }) => digest);
  }

  input({ wanted, notOffered, inWindow, silent }: Circumstances): VersionFacts {
    const { managed } = this;
    const recorded = Object.entries(managed?.platforms ?? {}) as [Platform, Digest][];
    return {
      wanted: wanted.filter((platform) => !notOffered.includes(platform)),
      required: wanted,
      inWindow,
      probe: silent.tag ? { state: "unknown", cause: "outage", reason: "500" } : this.probe(),
      ...(managed?.sources && { managed }),
      recordedManifests: Object.fromEntries(
        recorded.map(([platform, digest]) => [
          platform,
          silent.manifests.includes(platform) ? "unknown" : this.manifests.has(digest) ? "present" : "absent",
        ]),
      ),
    };
  }

  /** One run: decides and carries out. @returns the decision. */
  run(circumstances: Circumstances): VersionPlan {
    const plan = decideVersion(this.input(circumstances));
    const writing = plan.sources !== undefined && (plan.build.length > 0 || plan.state === "missing");
    if (!writing) this.recordUntouched(plan);
    else if (!plan.build.some((platform) => circumstances.broken.includes(platform))) this.publish(plan, circumstances);
    return plan;
  }

  private publish(plan: VersionPlan, { dies }: Circumstances): void {
    const made = Object.fromEntries(plan.build.map((platform) => [platform, this.push()])) as Record<Platform, Digest>;
    const children: Children[number][] = [];
    const sources: string[] = [];
    for (const source of plan.sources ?? []) {
      const digest =
        source.kind === "build"
          ? (made[source.platform] as Digest)
          : source.kind === "existing"
            ? source.digest
            : (source.reference.split("@")[1] as Digest);
      sources.push(`${repository}@${digest}`);
      const listed = this.contents.get(digest);
      if (listed) children.push(...listed);
      else children.push({ platform: this.platformOf(digest, plan, made), digest });
    }
    this.tag = this.index(children);
    if (dies) return;
    const platforms = this.platforms();
    const images = { ...plan.keep, ...made };
    this.managed = { tag: "1.0.0", digest: this.tag, platforms, origin: plan.origin ?? "built", sources, images };
  }

  /** As `untouched` of the components records it. */
  private recordUntouched(plan: VersionPlan): void {
    if (plan.state === "gone") return void (this.managed = undefined);
    const { managed } = this;
    const seen = plan.present && plan.state !== "moved" ? plan.present : managed;
    if (!seen) return;
    this.managed = {
      tag: "1.0.0",
      digest: seen.digest,
      platforms: seen.platforms,
      origin: managed?.origin ?? "adopted",
      ...(managed?.sources && { sources: managed.sources, images: plan.keep }),
    };
  }

  private probe(): Probe {
    if (this.tag === undefined || !this.manifests.has(this.tag)) return { state: "absent" };
    const lost = this.children().filter(({ digest }) => !this.manifests.has(digest));
    const others = this.children().filter(({ platform, digest }) => platform === "other" && this.manifests.has(digest));
    return {
      state: "present",
      digest: this.tag,
      platforms: this.platforms(),
      lost: Object.fromEntries(lost.map(({ platform, digest }) => [platform, digest])),
      others: others.map(({ digest }) => digest),
    };
  }

  private platforms(): Readonly<Record<Platform, Digest>> {
    return Object.fromEntries(Object.entries(this.holdings()).filter(([platform]) => platform !== "other"));
  }

  private children(): Children {
    return this.tag === undefined || !this.manifests.has(this.tag) ? [] : (this.contents.get(this.tag) ?? []);
  }

  private platformOf(digest: Digest, plan: VersionPlan, made: Readonly<Record<Platform, Digest>>): Platform | "other" {
    const known = { ...this.managed?.platforms, ...plan.present?.platforms, ...made };
    return (Object.entries(known).find(([, value]) => value === digest)?.[0] as Platform | undefined) ?? "other";
  }

  private push(): Digest {
    const digest = this.digestOf(`image ${(this.made += 1)}`);
    this.manifests.add(digest);
    return digest;
  }

  /** An index has the digest its content gives it, so writing the same again changes nothing. */
  private index(children: Children): Digest {
    const digest = this.digestOf(JSON.stringify(children));
    this.contents.set(digest, children);
    this.manifests.add(digest);
    return digest;
  }

  private readonly digests = new Map<string, Digest>();

  private digestOf(content: string): Digest {
    const known = this.digests.get(content) ?? `sha256:${this.digests.size.toString(16).padStart(64, "0")}`;
    this.digests.set(content, known);
    return known;
  }
}
