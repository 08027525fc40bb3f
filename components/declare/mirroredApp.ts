import * as dockerBuild from "@pulumi/docker-build";
import * as pulumi from "@pulumi/pulumi";
import { appOutcome, type AppOutcome, type FloatingOutcome, hasResources } from "./appOutcome";
import { MirroredVersion } from "./mirroredVersion";
import type { AppPlan, PlannedFloatingTag } from "../decide/appPlan";
import type { Digest } from "../model/digest";
import { writesIndex } from "../decide/versionPlan";
import type { PublishedFloatingTag } from "../model/published";
import { resourceNames } from "../model/resourceNames";
import { settle } from "../engine/settled";
import { spelledAnew } from "../decide/spellings";
import type { VersionServices } from "./versionServices";
import { adviceOnTags, untouched, type VersionOutcome } from "./versionOutcome";
import { digestIn } from "../model/reference";

/** Arguments of {@link MirroredApp}. */
export interface MirroredAppArgs {
  readonly plan: AppPlan;
  readonly services: VersionServices;
}

/** One app: a {@link MirroredVersion} per version this stack built or builds, and an Index per floating tag. */
export class MirroredApp extends pulumi.ComponentResource {
  /** The versions this stack has resources for. What others published and needs nothing is only recorded. */
  readonly versions = new Map<string, MirroredVersion>();
  readonly #ended = new Map<string, Promise<VersionOutcome>>();
  private readonly services: VersionServices;
  /** What became of the app. Never rejects. */
  readonly outcome: pulumi.Output<AppOutcome>;
  /** The same as a promise. */
  readonly ended: Promise<AppOutcome>;

  constructor(name: string, args: MirroredAppArgs, options?: pulumi.ComponentResourceOptions) {
    super("multiarch-mirror:index:MirroredApp", name, {}, options);
    const { plan, services } = args;
    this.services = services;
    const { repository } = plan;
    for (const planned of plan.versions) {
      if (hasResources(planned) || (services.phase === "build" && planned.plan.state !== "gone")) {
        const versionArgs = { specification: plan.specification, repository, planned, services };
        const version = new MirroredVersion(resourceNames.version(name, planned.version), versionArgs, {
          parent: this,
        });
        this.versions.set(planned.version, version);
        this.#ended.set(planned.version, version.ended);
      } else if (planned.plan.state !== "gone") {
        this.#ended.set(planned.version, Promise.resolve(untouched(planned)));
      }
    }
    const tags = services.phase === "build" ? [] : plan.floatingTags;
    const floating = tags.map((tag) => this.declareFloatingTag(name, plan, tag));
    this.ended = this.collect(plan, floating);
    this.outcome = pulumi.output(this.ended);
    this.registerOutputs({ repository });
  }

  /**
   * A floating tag is an Index with a single source, which is copied as is: the tag has the very digest of the version.
   * Its source is the best candidate that is published when all builds have ended. Resolves to what is to be recorded.
   */
  private async declareFloatingTag(
    name: string,
    plan: AppPlan,
    floating: PlannedFloatingTag,
  ): Promise<FloatingOutcome> {
    const { tag, managed, action } = floating;
    if ((action === "unchanged" || action === "hold") && !managed) return { tag };
    const target = this.floatingTarget(plan, floating);
    const undecided = pulumi.runtime.isDryRun() && floating.candidates.some((version) => this.isPending(plan, version));
    // Made only where it is used: an Output that rejects is an error of the run, even if nobody looks at it.
    const sources = undecided
      ? unknownSources()
      : pulumi.output(target).apply((chosen) => {
          if (chosen) return [chosen.source];
          throw new pulumi.RunError(
            `${name}: floating tag ${tag} is not written: none of ${floating.candidates.join(", ")} was published`,
          );
        });
    const index = new dockerBuild.Index(
      resourceNames.floatingTag(name, tag),
      { tag: `${plan.repository}:${tag}`, sources, push: true },
      { parent: this },
    );
    const chosen = await target;
    if (!chosen || pulumi.runtime.isDryRun()) return { tag, ...(managed && { record: managed }) };
    const ref = await settle(index.ref);
    if (ref.state !== "known" || !digestIn(ref.value))
      return {
        tag,
        problem: `floating tag ${tag} could not be written${adviceOnTags(floating.current !== undefined)}`,
        ...(managed && { record: managed }),
      };
    return { tag, record: chosen };
  }

  /** The version a floating tag goes to and the source string of its Index; undefined when no candidate is published. */
  private async floatingTarget(plan: AppPlan, floating: PlannedFloatingTag): Promise<PublishedFloatingTag | undefined> {
    const { managed, action } = floating;
    if (action === "unchanged" || action === "hold") return managed;
    for (const version of floating.candidates) {
      const outcome = await this.#ended.get(version);
      const record = outcome && "record" in outcome ? outcome.record : undefined;
      if (!record || (outcome && "incomplete" in outcome)) continue;
      if (!(await this.isSigned(plan, version, record.digest))) continue;
      if (floating.current !== undefined && !pulumi.runtime.isDryRun())
        await this.services.makeWay(`${plan.repository}:${floating.tag}`, record.digest);
      return {
        version,
        digest: record.digest,
        source: spelledAnew([`${plan.repository}@${record.digest}`], floating.written, record.tag)[0] ?? "",
      };
    }
    return managed;
  }

  /** What was attested in this run has been verified; of anything else only the registry has been read so far. */
  private async isSigned(plan: AppPlan, version: string, digest: Digest): Promise<boolean> {
    const planned = plan.versions.find((candidate) => candidate.version === version);
    const mode = planned?.attestation?.mode;
    if (mode === "fresh" || mode === "repair" || pulumi.runtime.isDryRun()) return true;
    return this.services.signed(plan.repository, digest);
  }

  private isPending(plan: AppPlan, version: string): boolean {
    const planned = plan.versions.find((candidate) => candidate.version === version)?.plan;
    return planned !== undefined && writesIndex(planned);
  }

  private async collect(plan: AppPlan, floating: readonly Promise<FloatingOutcome>[]): Promise<AppOutcome> {
    const versions = [...this.#ended].map(async ([version, ended]) => [version, await ended] as const);
    return appOutcome(plan, await Promise.all(versions), await Promise.all(floating));
  }
}

/** What a preview cannot know yet. The provider takes an unknown element, but no unknown list. */
function unknownSources(): pulumi.Output<string>[] {
  return [pulumi.output<string>(pulumi.unknown as unknown as string)];
}
