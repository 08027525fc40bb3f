import { expect, it } from "vitest";
import { toolFailure } from "../../components/attest/tools";
import { safeText } from "../../components/model/safeText";

const subject = `registry.example.org/team/app@sha256:${"a".repeat(64)}`;
const failure = (stderr: string, environment = {}): string =>
  toolFailure("cosign", ["sign", "--yes", subject], { status: 1, stdout: "", stderr }, environment).message;

const reason =
  'signing bundle: error getting timestamp: Post "http://tsa.example.org/api/v1/timestamp": connection refused';

it("puts the reason first, where reports that show the beginning of a text show it whole", () => {
  const progress = ["Generating ephemeral keys...", "Retrieving signed certificate...", "Signing artifact..."];
  const said = [...progress, `Error: ${reason}`, `error during command execution: ${reason}`].join("\n");
  expect(safeText(`1.0.0: unsigned linux/amd64, linux/arm64: ${failure(said)}`)).toContain(`cosign sign: ${reason} (`);
  expect(failure(said)).toBe(
    `cosign sign: ${reason} (status 1, for ${subject}; it also wrote: Generating ephemeral keys... | Retrieving signed certificate... | Signing artifact...)`,
  );
});

it("keeps the reason whole, and the end of a long rest", () => {
  const noise = Array.from({ length: 300 }, (_, line) => `progress ${line}`).join("\n");
  const long = `${reason}: ${"x".repeat(600)}`;
  const message = failure(`${noise}\nError: ${long}`);
  expect(message).toContain(`cosign sign: ${long} (`);
  expect(message).toMatch(/progress 298 \| progress 299\)$/);
  expect(message.length).toBeLessThan(4000);
});

it.each([
  [
    "the lines below it",
    "Error: no matching attestations:\n  expired",
    /^cosign sign: no matching attestations: \(.*wrote: expired\)$/,
  ],
  [
    "the level of a log",
    "[0000]  WARN slow\n[0001] ERROR no such image",
    /^cosign sign: no such image \(.*wrote: \[0000\]  WARN slow\)$/,
  ],
  ["nothing but a line", "panic: out of memory", /^cosign sign: panic: out of memory \(status 1, for [^;]*\)$/],
  ["nothing", "", /^cosign sign: it wrote nothing \(status 1, for [^;]*\)$/],
])("reads %s", (_, said, message) => {
  expect(failure(said)).toMatch(message);
});

it("shows no secret, neither in the reason nor in the rest", () => {
  const message = failure("tried s3cret-1\nError: bad password s3cret-1", { COSIGN_PASSWORD: "s3cret-1" });
  expect(message).toMatch(/^cosign sign: bad password \[secret\] .*tried \[secret\]\)$/);
});
