import type { Digest } from "../model/digest";

/** A regular file's content, as one name of it shows it. */
export interface FileContent {
  /** Any of the three execute bits is set. */
  readonly executable: boolean;
  readonly head: FileHead;
  /** Path under which the layer holds the bytes. */
  readonly path: string;
  readonly layer: Digest;
  /** Checksum as `algorithm:hex`, when it was asked for. */
  readonly checksum?: string;
}

/** One entry of a layer. Paths have no leading slash, no empty, `.` or `..` parts. */
export type LayerEntry = { readonly path: string } & (
  | { readonly kind: "file"; readonly file: FileContent }
  | { readonly kind: "directory" }
  /** `target` as written: relative to the link's folder or absolute in the image. */
  | { readonly kind: "symlink"; readonly target: string }
  /** A hard link to a file of a lower layer. */
  | { readonly kind: "hardlink"; readonly target: string; readonly executable: boolean }
  /** Devices, pipes and what else a layer may hold. */
  | { readonly kind: "special" }
);

/** What a layer does to the file system below it, as far as the checks care. Source: OCI image specification, layer.md. */
export interface LayerListing {
  /** In the order of the archive; of two entries with one path the later counts. */
  readonly entries: readonly LayerEntry[];
  /** Paths of lower layers that are removed. */
  readonly whiteouts: readonly string[];
  /** Folders whose content of lower layers is removed. */
  readonly opaque: readonly string[];
  /** Bytes of the layer as stored. */
  readonly size: number;
}

/** What the first bytes of a file say it is. `bits` is 0 when the ELF class byte is neither 1 nor 2. */
export type FileHead =
  | {
      readonly kind: "elf";
      /** `e_machine`: the processor the code is for. */
      readonly machine: number;
      readonly bits: 0 | 32 | 64;
      readonly littleEndian: boolean;
      /** `e_type`: 1 object file, 2 executable, 3 shared object or position-independent executable, 4 core dump. */
      readonly type: number;
    }
  /** Starts with `#!`. */
  | { readonly kind: "script" }
  /** First visible character is `<`: an HTML or XML page, often an error page saved under a program's name. */
  | { readonly kind: "markup" }
  /** Anything else, also PE and Mach-O programs and files shorter than an ELF header's first 20 bytes. */
  | { readonly kind: "other" };

/** How many bytes of a file `readFileHead` wants to see. */
export const fileHeadLength = 64;

const elfMagic = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const script: FileHead = { kind: "script" };
const markup: FileHead = { kind: "markup" };
const other: FileHead = { kind: "other" };

/** Classifies a file by its first bytes. Source: System V ABI, chapter 4, "ELF Header". Never throws. */
export function readFileHead(start: Buffer): FileHead {
  if (start.length >= 20 && start.subarray(0, 4).equals(elfMagic)) return readElf(start);
  if (start.length >= 2 && start[0] === 0x23 && start[1] === 0x21) return script;
  return start.toString("latin1").trimStart().startsWith("<") ? markup : other;
}

function readElf(start: Buffer): FileHead {
  const littleEndian = start[5] === 1;
  const half = (offset: number): number => (littleEndian ? start.readUInt16LE(offset) : start.readUInt16BE(offset));
  const knownOrder = littleEndian || start[5] === 2;
  const bits = start[4] === 1 && knownOrder ? 32 : start[4] === 2 && knownOrder ? 64 : 0;
  return { kind: "elf", machine: half(18), bits, littleEndian, type: half(16) };
}
