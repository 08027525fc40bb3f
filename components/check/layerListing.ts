import type { Digest } from "../model/digest";
import type { FileHead } from "./fileHead";

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
