import { z } from "zod";
import { checked } from "../config/problems";

const text = z.string().min(1);
const uri = z.string().regex(/^[a-z][a-z0-9+.-]*:\S+$/i, "accepted is a URI with a scheme");
const time = z.iso.datetime({ message: "accepted is a UTC time as 2026-01-31T12:00:00Z" });

const digestLengths: Readonly<Record<string, readonly number[]>> = { sha256: [64], sha512: [128], gitCommit: [40, 64] };
const digests = z.record(text, z.string()).superRefine((value, context) => {
  if (Object.keys(value).length === 0) context.addIssue({ code: "custom", message: "accepted is one digest or more" });
  for (const [algorithm, hex] of Object.entries(value)) {
    const lengths = Object.hasOwn(digestLengths, algorithm) ? digestLengths[algorithm] : undefined;
    if (lengths?.includes(hex.length) && /^[0-9a-f]+$/.test(hex)) continue;
    const message = `accepted are ${Object.keys(digestLengths).join(", ")} with lower-case hex digits`;
    context.addIssue({ code: "custom", message, path: [algorithm] });
  }
});

const resource = z
  .strictObject({
    uri: text.optional(),
    digest: digests.optional(),
    name: text.optional(),
    downloadLocation: uri.optional(),
    mediaType: text.optional(),
    content: z.base64("accepted is base64").optional(),
    annotations: z.record(text, z.unknown()).optional(),
  })
  .refine(
    ({ uri: address, digest, content }) => address !== undefined || digest !== undefined || content !== undefined,
    "accepted is a resource with uri, digest or content",
  );

const parameters = z
  .record(text, z.unknown())
  .refine((value) => Object.keys(value).length > 0, "accepted is one parameter or more")
  .superRefine((value, context) => {
    for (const path of emptyPaths(value))
      context.addIssue({ code: "custom", message: "must not be empty", path: [...path] });
  });

/** Build arguments may be empty on purpose (`ARG=`); everything else that is empty is a mistake. */
function emptyPaths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (value === "" || value === null || value === undefined) return [path];
  if (typeof value !== "object") return [];
  return Object.entries(value)
    .filter(([key]) => key !== "buildArguments")
    .flatMap(([key, inner]) => emptyPaths(inner, [...path, key]));
}

const schema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: uri,
    externalParameters: parameters,
    internalParameters: z.record(text, z.unknown()).optional(),
    resolvedDependencies: z.array(resource).optional(),
  }),
  runDetails: z.strictObject({
    builder: z.strictObject({
      id: uri,
      version: z.record(text, text).optional(),
      builderDependencies: z.array(resource).optional(),
    }),
    metadata: z
      .strictObject({ invocationId: text.optional(), startedOn: time.optional(), finishedOn: time.optional() })
      .refine(
        ({ startedOn, finishedOn }) => !startedOn || !finishedOn || Date.parse(startedOn) <= Date.parse(finishedOn),
        "it finished before it started",
      )
      .optional(),
    byproducts: z.array(resource).optional(),
  }),
});

/** A provenance predicate, as SLSA v1.0 defines it (https://slsa.dev/spec/v1.0/provenance). */
export type SlsaProvenance = z.output<typeof schema>;

/**
 * Checks a predicate against SLSA v1: every required field there and filled, nothing unknown or misspelt.
 * cosign does neither; it takes `{}` and drops what it does not know.
 * @throws Error listing each field at fault by its path.
 */
export function parseSlsaProvenance(value: unknown): SlsaProvenance {
  return checked(schema, value, "not a SLSA v1 provenance");
}
