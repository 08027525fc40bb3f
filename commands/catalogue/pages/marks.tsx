import type { CataloguePlatform, Proof } from "../schema";
import { h } from "./markup";

/* How things stand, told by a sign and words as well as by colour. */

const origins: Readonly<Record<CataloguePlatform["origin"] | "missing", readonly [sign: string, words: string]>> = {
  built: ["●", "built here"],
  copied: ["◆", "copied from upstream"],
  adopted: ["◇", "published by others"],
  published: ["○", "origin not recorded"],
  missing: ["✕", "missing"],
};

/** A platform and how it came to be, told by sign and words as well as by colour. */
export function PlatformChip({ platform, state }: { readonly platform: string; readonly state: keyof typeof origins }) {
  const [sign, words] = origins[state];
  return (
    <span class={`chip ${state}`}>
      <span aria-hidden="true">{sign}</span> {platform} <span class="quiet">{words}</span>
    </span>
  );
}

/** What an origin is called. */
export function originWords(origin: keyof typeof origins): string {
  return origins[origin][1];
}

const proofs: Readonly<Record<Proof["state"], readonly [sign: string, words: string]>> = {
  verified: ["✓", "verified"],
  failed: ["✕", "not all checks passed"],
  unsigned: ["✕", "not signed by this mirror"],
  "not checked": ["?", "signature not checked"],
};

/** How the proof of a version stands. */
export function ProofMark({ state }: { readonly state: Proof["state"] }) {
  const [sign, words] = proofs[state];
  return (
    <span class={`mark ${state.replace(" ", "-")}`}>
      <span aria-hidden="true">{sign}</span> {words}
    </span>
  );
}

const states = {
  complete: ["✓", "complete"],
  incomplete: ["!", "incomplete"],
  failing: ["✕", "failing"],
  empty: ["–", "empty"],
} as const;

/** How an app stands. */
export function StateMark({ state }: { readonly state: keyof typeof states }) {
  const [sign, words] = states[state];
  return (
    <span class={`mark ${state}`}>
      <span aria-hidden="true">{sign}</span> {words}
    </span>
  );
}

/** Yes, no or not known, in a table. */
export function Check({
  ok,
  yes,
  no = "no",
}: {
  readonly ok: boolean | undefined;
  readonly yes: string;
  readonly no?: string;
}) {
  if (ok === undefined) return <span class="quiet">not known</span>;
  return (
    <span class={ok ? "yes" : "no"}>
      <span aria-hidden="true">{ok ? "✓" : "✕"}</span> {ok ? yes : no}
    </span>
  );
}
