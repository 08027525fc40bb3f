import { z } from "zod";
import { type Digest, isDigest } from "../model/digest";
import { type VersionRecord, versionRecordSchema } from "../model/versionRecord";

/** What the stack's state says exists, by resource name. It may be wrong: the registry is the truth. */
export interface StackState {
  /** The digest each Image pushed, and how its export is spelled. */
  readonly images: ReadonlyMap<string, { readonly digest: Digest; readonly exported?: string }>;
  /** The tag each Index was last written to, as a reference, and the sources it was written from. */
  readonly indexes: ReadonlyMap<string, { readonly tag: string; readonly sources: readonly string[] }>;
  /** What was attested or copied beside indexes: the commands that did it, with what each was told of how the version came to be. */
  readonly commands: ReadonlyMap<string, VersionRecord | undefined>;
}

/** One resource of a state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

const exportList = z.array(z.object({ raw: z.string() }));

/** Reads what matters here of the resources in a state. */
export function stackState(resources: readonly StateResource[]): StackState {
  const images = new Map<string, { digest: Digest; exported?: string }>();
  const indexes = new Map<string, { tag: string; sources: readonly string[] }>();
  const commands = new Map<string, VersionRecord | undefined>();
  for (const { urn, type, outputs } of resources) {
    const name = urn.slice(urn.lastIndexOf("::") + 2);
    const { digest, tag, sources, exports, stdin } = outputs;
    if (type === "docker-build:index:Image" && isDigest(digest)) images.set(name, { digest, ...exportOf(exports) });
    if (type === "docker-build:index:Index" && typeof tag === "string" && isTextList(sources))
      indexes.set(name, { tag, sources });
    if (type === "command:local:Command") commands.set(name, recordOf(stdin));
  }
  return { images, indexes, commands };
}

/** Undefined where it was told nothing, or by a version of this program from whose record nothing can be stated. */
function recordOf(stdin: unknown): VersionRecord | undefined {
  if (typeof stdin !== "string" || stdin === "") return undefined;
  try {
    return versionRecordSchema.safeParse(JSON.parse(stdin)).data;
  } catch {
    return undefined;
  }
}

function exportOf(exports: unknown): { exported?: string } {
  const raw = exportList.safeParse(exports).data?.[0]?.raw;
  return raw === undefined ? {} : { exported: raw };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
