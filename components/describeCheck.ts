import type { CheckReport } from "./check/checkImage";
import type { ImageToCheck } from "./versionEdges";

/** What a passed check looked at and what it cost, as a line for the log: looking and running apart. */
export function describeCheck({ specification, planned, platform }: ImageToCheck, report: CheckReport): string {
  const { checkedFiles, bytesRead, milliseconds, smoke } = report;
  const looked = seconds(milliseconds - (smoke?.milliseconds ?? 0));
  const megabytes = (bytesRead / 1_000_000).toFixed(1);
  const ran = smoke ? `; its smoke command took ${seconds(smoke.milliseconds)}` : "";
  const programs = `${checkedFiles} ${checkedFiles === 1 ? "program" : "programs"}`;
  return `${specification.name} ${planned.version} ${platform}: ${programs} checked in ${looked}, ${megabytes} MB read${ran}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
