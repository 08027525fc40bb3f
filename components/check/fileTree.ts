import { dirname } from "node:path/posix";
import type { FileContent, LayerListing } from "./layerListing";

/** What the image holds at a path. */
export type TreeNode =
  | { readonly kind: "directory"; readonly children: Map<string, TreeNode> }
  | { readonly kind: "file"; readonly file: FileContent }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "special" };

/** Where a path leads after all symbolic links. Paths are absolute. */
export type Resolution =
  | { readonly state: "found"; readonly path: string; readonly node: TreeNode }
  /** Nothing is at `path`, the point where the way ended; with layers left out it may be in one of those. */
  | { readonly state: "missing"; readonly path: string }
  /** More links than Linux follows. */
  | { readonly state: "loop"; readonly path: string };

/** Number of symbolic links Linux follows in one path. */
const linkLimit = 40;

/** More folders than any real image has. Each name of a layer may stand for two thousand of them. */
const mostFolders = 1_000_000;

/** The file system a stack of layers amounts to. Layers are applied from the lowest to the highest. */
export class FileTree {
  readonly #root: Directory = { kind: "directory", children: new Map() };
  #folders = 0;

  /**
   * Applies the next higher layer: first what it removes of the layers below, then its own entries in order.
   * @throws Error when the image has too many folders.
   */
  apply(listing: LayerListing): void {
    for (const path of listing.opaque) this.#directory(path)?.children.clear();
    for (const path of listing.whiteouts) this.#directory(parent(path))?.children.delete(name(path));
    for (const entry of listing.entries) {
      if (entry.kind === "directory") this.#makeDirectory(entry.path);
      else if (entry.kind === "file") this.#put(entry.path, { kind: "file", file: entry.file });
      else if (entry.kind === "symlink") this.#put(entry.path, { kind: "symlink", target: entry.target });
      else if (entry.kind === "special") this.#put(entry.path, { kind: "special" });
      else this.#link(entry.path, entry.target, entry.executable);
    }
  }

  /** Every file of the final image with its absolute path; a file with several hard links comes once for each. */
  files(): readonly { readonly path: string; readonly file: FileContent }[] {
    const found: { path: string; file: FileContent }[] = [];
    const open: [string, Directory][] = [["", this.#root]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const [part, node] of next[1].children) {
        if (node.kind === "directory") open.push([`${next[0]}/${part}`, node]);
        if (node.kind === "file") found.push({ path: `${next[0]}/${part}`, file: node.file });
      }
    }
    return found;
  }

  /** Follows an absolute path as the kernel does, links that lead out of the image staying in it. */
  resolve(path: string): Resolution {
    let rest = path.split("/");
    let at: string[] = [];
    for (let links = 0; rest.length > 0;) {
      const part = rest.shift() ?? "";
      if (part === "" || part === ".") continue;
      if (part === "..") {
        at.pop();
        continue;
      }
      const node = this.#node([...at, part]);
      if (node === undefined) return { state: "missing", path: absolute([...at, part]) };
      if (node.kind !== "symlink") {
        at.push(part);
        continue;
      }
      if (++links > linkLimit) return { state: "loop", path: absolute([...at, part]) };
      if (node.target.startsWith("/")) at = [];
      rest = [...node.target.split("/"), ...rest];
    }
    const node = this.#node(at);
    return node ? { state: "found", path: absolute(at), node } : { state: "missing", path: absolute(at) };
  }

  #link(path: string, target: string, executable: boolean): void {
    const node = this.#node(target.split("/"));
    // A target in a layer that was left out is not ours to judge; the name still hides what lies below it.
    if (node?.kind !== "file") return this.#put(path, { kind: "special" });
    this.#put(path, executable ? { kind: "file", file: { ...node.file, executable } } : node);
  }

  #put(path: string, node: TreeNode): void {
    this.#makeDirectory(parent(path)).children.set(name(path), node);
  }

  #makeDirectory(path: string): Directory {
    let directory = this.#root;
    for (const part of path === "" ? [] : path.split("/")) {
      const child = directory.children.get(part);
      if (child?.kind === "directory") directory = child;
      else {
        if (++this.#folders > mostFolders)
          throw new Error(`the image has more than ${mostFolders} folders, the most that is checked`);
        const made: Directory = { kind: "directory", children: new Map() };
        directory.children.set(part, made);
        directory = made;
      }
    }
    return directory;
  }

  #directory(path: string): Directory | undefined {
    const node = this.#node(path === "" ? [] : path.split("/"));
    return node?.kind === "directory" ? node : undefined;
  }

  #node(parts: readonly string[]): TreeNode | undefined {
    let node: TreeNode | undefined = this.#root;
    for (const part of parts) node = node?.kind === "directory" ? node.children.get(part) : undefined;
    return node;
  }
}

type Directory = Extract<TreeNode, { kind: "directory" }>;

function parent(path: string): string {
  const folder = dirname(path);
  return folder === "." ? "" : folder;
}

function name(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function absolute(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}
