import type { PlannedFloatingTag, PlannedVersion } from "../decide/appPlan";
import type { FloatingTagRule } from "../model/appSpecification";
import {
  desiredFloatingTags,
  type FloatingCandidate,
  type FloatingTagMove,
  floatingTagMoves,
  unwantedTag,
} from "../decide/floatingTags";
import { isComplete, writesIndex } from "../decide/versionPlan";
import type { Probe } from "../model/probe";
import type { PublishedFloatingTag } from "../model/published";
import type { PlanEdges } from "./planEdges";

/** What the floating tags of one app are decided on. */
export interface FloatingTagRequest {
  readonly repository: string;
  readonly rules: readonly FloatingTagRule[];
  readonly versions: readonly PlannedVersion[];
  /** What an earlier run recorded about the tags it declared. */
  readonly recorded: Readonly<Record<string, PublishedFloatingTag>>;
  /** The answer about the tag `latest`, where it was asked for already. */
  readonly latest?: Promise<Probe>;
  /** Why `latest` is not to move in this run; undefined: it may. */
  readonly heldLatest?: string;
  /** Why none of them is: no rule counts then. */
  readonly heldAll?: string;
}

/** The floating tags of one app, and what an operator has to know about them. */
export interface FloatingTagPlan {
  readonly tags: readonly PlannedFloatingTag[];
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** Asks the registry what each wanted floating tag names and decides where it goes. Never rejects. */
export async function planFloatingTags(request: FloatingTagRequest, edges: PlanEdges): Promise<FloatingTagPlan> {
  const { repository, versions, recorded, heldLatest, heldAll } = request;
  const candidates = versions.map(candidate);
  const rules = heldAll === undefined ? request.rules : [];
  const { tags: desired, refused } = desiredFloatingTags(rules, candidates);
  const names = [...new Set([...desired.map(({ tag }) => tag), ...Object.keys(recorded)])];
  const probes = Object.fromEntries(
    await Promise.all(
      names.map(async (tag) => {
        const asked = tag === "latest" ? request.latest : undefined;
        return [tag, await (asked ?? edges.probe(`${repository}:${tag}`, { skipChildren: true }))] as const;
      }),
    ),
  );
  const moves = floatingTagMoves(desired, candidates, probes, recorded).map((move) =>
    heldLatest !== undefined && move.tag === "latest" && (move.action === "create" || move.action === "move")
      ? { ...move, action: "hold" as const, candidates: [], held: heldLatest }
      : move,
  );
  const decided = moves.map((move): PlannedFloatingTag => withRecord(move, recorded[move.tag]));
  // A tag that is not wanted now stays declared, and stays where it is.
  const unwanted = Object.entries(recorded)
    .filter(([tag]) => !moves.some((move) => move.tag === tag))
    .map(([tag, managed]): PlannedFloatingTag => ({
      ...unwantedTag(tag, managed, probes[tag], request.rules, candidates),
      managed,
      ...(heldAll !== undefined && { held: heldAll }),
    }));
  return {
    tags: [...decided, ...unwanted],
    problems: moves.flatMap(({ tag, held, problem }) =>
      held !== undefined && problem ? [`floating tag ${tag}: ${held}`] : [],
    ),
    notes: [
      ...refused.map(({ tag, reason }) => `floating tag ${tag} is not written: ${reason}`),
      ...moves.flatMap(({ tag, held, problem }) =>
        held !== undefined && !problem ? [`floating tag ${tag} stays: ${held}`] : [],
      ),
    ],
  };
}

function candidate(planned: PlannedVersion): FloatingCandidate {
  const { version, tag, plan, release, managed, inWindow, required, attestation } = planned;
  const unsigned = !writesIndex(plan) && isComplete(plan, required) && attestation?.mode === "repair";
  const commit = release?.commit ?? managed?.commit;
  return {
    version,
    mirrorTag: tag,
    state: stateOf(planned),
    ...(unsigned && { unsigned }),
    ...(plan.present && { digest: plan.present.digest }),
    ...(plan.state === "unknown" && { inDoubt: true }),
    ...(commit !== undefined && { commit }),
    ...(release?.reference === "branch" && inWindow && { head: true }),
  };
}

/** A version is complete once it is signed as the stack wants it, too. */
function stateOf({ plan, required, attestation }: PlannedVersion): FloatingCandidate["state"] {
  if (writesIndex(plan)) return "pending";
  if (!isComplete(plan, required) || attestation?.problem !== undefined) return "incomplete";
  return attestation?.mode === "repair" ? "pending" : "complete";
}

function withRecord(move: FloatingTagMove, managed: PublishedFloatingTag | undefined): PlannedFloatingTag {
  return managed ? { ...move, managed } : move;
}
