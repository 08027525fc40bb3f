import type { AppSettings } from "../config/appSettings";
import type { AppSpecification } from "../model/appSpecification";
import type { PerPlatform, Platform } from "../model/platform";
import type { Probe } from "../model/probe";
import { type Release, buildTarget } from "../model/release";
import { askOfficialImage, noOfficialImage, type OfficialImage } from "./officialImage";
import type { PlanEdges } from "./planEdges";

/** What upstream is asked about one version. */
export interface UpstreamRequest {
  readonly specification: AppSpecification;
  readonly settings: AppSettings;
  readonly release?: Release;
  readonly inWindow: boolean;
  readonly handedOver: PerPlatform<unknown>;
}

/** Whether upstream offers the files of each platform. */
interface Offers {
  /** Platforms upstream does not offer, with the reason. */
  readonly missing: PerPlatform<string>;
  /** Set when it cannot be told for some platform: then nothing is built. */
  readonly trouble?: string;
}

const noOffers: Offers = { missing: {} };

async function askOffers(
  { specification }: UpstreamRequest,
  release: Release,
  platforms: readonly Platform[],
  edges: PlanEdges,
): Promise<Offers> {
  const answers = await Promise.all(
    platforms.map(async (platform) => ({
      platform,
      offer: await edges.offer(specification, buildTarget(release, platform)),
    })),
  );
  const missing = answers.flatMap(({ platform, offer }) =>
    offer.state === "missing" ? [[platform, whyMissing(offer.reason, release, edges.now)] as const] : [],
  );
  const trouble = answers.flatMap(({ platform, offer }) =>
    offer.state === "unknown" ? [`${platform}: ${offer.reason}`] : [],
  );
  return { missing: Object.fromEntries(missing), ...(trouble.length > 0 && { trouble: trouble.join("; ") }) };
}

const dayMs = 24 * 60 * 60 * 1000;

/** Files often follow a release by minutes or hours. A release whose date upstream does not tell says nothing of that. */
function whyMissing(reason: string, { publishedAt }: Release, now: Date): string {
  const age = now.getTime() - Date.parse(publishedAt ?? "");
  if (Number.isNaN(age)) return reason;
  return age > dayMs ? `upstream never published it: ${reason}` : `upstream has not published it yet: ${reason}`;
}

/** What upstream has of one version. */
export interface Upstream {
  readonly official: OfficialImage;
  readonly offers: Offers;
}

/** Asks upstream about a version: for all that is not here yet, whether it publishes it itself, and else whether it offers the files. */
export async function askUpstream(
  request: UpstreamRequest,
  probe: Probe,
  covered: readonly Platform[],
  edges: PlanEdges,
): Promise<Upstream> {
  const { release, inWindow, handedOver } = request;
  const held = probe.state === "present" ? { ...probe.misdescribed, ...probe.platforms } : {};
  const absent = covered.filter((platform) => !(platform in held));
  const isWanted = inWindow && probe.state !== "unknown" && absent.length > 0;
  const official = await officialImage(request, probe, isWanted, edges);
  if (!release || !isWanted) return { official, offers: noOffers };
  // What is copied or left to upstream, or was built elsewhere, needs no file of upstream's.
  const without = { ...official.copies, ...handedOver };
  const toBuild = absent.filter((platform) => !(platform in without) && !official.skipped.includes(platform));
  return { official, offers: await askOffers(request, release, toBuild, edges) };
}

/** A version that has all it needs is looked up only where something of upstream's may be missing beside it. */
async function officialImage(
  request: UpstreamRequest,
  probe: Probe,
  lookUpstream: boolean,
  edges: PlanEdges,
): Promise<OfficialImage> {
  const { release, specification, inWindow } = request;
  const copies = specification.official?.whenUpstreamHasPlatform === "copy";
  const mayLack = copies && inWindow && probe.state === "present" && edges.run.phase !== "build";
  if (!release || !(lookUpstream || mayLack)) return noOfficialImage;
  return askOfficialImage(request, release, edges);
}

/** All of upstream's own image, whatever the app does about it today. */
export async function officialOf(
  { specification, settings, release }: Pick<UpstreamRequest, "specification" | "settings" | "release">,
  edges: PlanEdges,
): Promise<OfficialImage> {
  if (!specification.official || !release) return noOfficialImage;
  const official = { ...specification.official, whenUpstreamHasPlatform: "copy" } as const;
  return askOfficialImage({ specification: { ...specification, official }, settings }, release, edges);
}
