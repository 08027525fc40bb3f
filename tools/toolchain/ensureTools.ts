import { realpath, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { CheckedPrograms } from "./checkedPrograms";
import { installDebianPackage } from "./debianPackage";
import { withLock } from "../../components/system/lock";
import { placeWhole } from "../../components/system/placeWhole";
import { folders as standardFolders, type Folders } from "./folders";
import { goBuild, goProgram } from "./goBuild";
import { MissingToolError } from "./missingToolError";
import { withProgress, type Progress } from "./progress";
import { installPythonPackage, pythonProgram } from "./pythonPackage";
import { standInLauncher } from "./standInLauncher";
import type { Tool, ToolName } from "./tool";
import { tools } from "./tools";
import { installVendorProgram, vendorProgram } from "./vendorProgram";

/** The programs asked for, all checked by running them. */
export interface Toolchain {
  /** Absolute path of each program. */
  readonly programs: ReadonlyMap<ToolName, string>;
  /** For people: where each came from. */
  readonly origins: ReadonlyMap<ToolName, string>;
  /** Folder with a link to every program; put it first on PATH. It holds `cli-plugins/docker-buildx` too. */
  readonly folder: string;
  /** Value for PATH: `folder` before what was there. */
  readonly path: string;
}

/** How `ensureTools` goes about it; the defaults suit everything but tests. */
export interface EnsureOptions {
  /** Told about everything that takes long. Default: standard error. */
  readonly progress?: Progress;
  readonly folders?: Folders;
  /** The search path for programs already installed. Default: PATH. */
  readonly searchPath?: string;
  /** The tools known. */
  readonly tools?: readonly Tool[];
  /** Makes what is not there. Default true. */
  readonly make?: boolean;
}

/**
 * Makes sure of programs and returns where they are. For each, the first that runs and has the right version of: what is
 * on PATH, what an earlier run made, what the vendor's installer brings, what is built or installed from pinned
 * sources. A second call takes no time: answers are remembered until a file changes.
 *
 * @throws MissingToolError when a tool cannot be had here
 */
export async function ensureTools(names: readonly ToolName[], options: EnsureOptions = {}): Promise<Toolchain> {
  const folders = options.folders ?? standardFolders();
  const searchPath = options.searchPath ?? process.env["PATH"] ?? "";
  const progress = options.progress ?? ((line: string) => process.stderr.write(`${line}\n`));
  const checked = await CheckedPrograms.load(path.join(folders.cache, "checked.json"));
  const search = new Search(folders, searchPath, progress, checked, options.tools ?? tools, options.make ?? true);
  const programs = new Map<ToolName, string>();
  const origins = new Map<ToolName, string>();
  for (const name of new Set(names)) {
    const program = await search.find(name);
    programs.set(name, program);
    origins.set(name, search.originOf(name, program));
    await link(path.join(folders.bin, name), program);
    if (name === "buildx") {
      await link(path.join(folders.bin, "cli-plugins", "docker-buildx"), program);
    }
  }
  return { programs, origins, folder: folders.bin, path: `${folders.bin}${path.delimiter}${searchPath}` };
}

class Search {
  constructor(
    private readonly folders: Folders,
    private readonly searchPath: string,
    private readonly progress: Progress,
    private readonly checked: CheckedPrograms,
    private readonly known: readonly Tool[],
    private readonly makes: boolean,
  ) {}

  originOf(name: ToolName, program: string): string {
    const tool = this.tool(name);
    const { source, vendor } = tool;
    if (vendor?.by === "image" && program === vendorProgram(tool, this.folders)) return `copied from ${vendor.image}`;
    if (program.startsWith(this.folders.pulumi)) return "its vendor's installer";
    if (program.startsWith(this.folders.standIns)) return "a stand-in of this project";
    if (!program.startsWith(this.folders.cache)) return `this machine (${program})`;
    return source.from === "go" ? `built from source (tools/go/${source.module})` : "PyPI";
  }

  private tool(name: ToolName): Tool {
    const tool = this.known.find((candidate) => candidate.name === name);
    if (tool === undefined) {
      throw new Error(`no tool is named ${JSON.stringify(name)}; see tools/toolchain/tools.ts`);
    }
    return tool;
  }

  async find(name: ToolName): Promise<string> {
    const tool = this.tool(name);
    const found = await this.installed(tool);
    if (found === undefined && !this.makes) {
      throw new MissingToolError(tool.name, "not made yet", "ask for it to be made");
    }
    return found ?? this.obtain(tool);
  }

  /** What is there already. */
  private async installed(tool: Tool): Promise<string | undefined> {
    const built = await this.target(tool);
    const vendors = vendorProgram(tool, this.folders);
    for (const candidate of [...(await this.onPath(tool.name)), vendors, built]) {
      if (candidate !== undefined && (await this.checked.fits(candidate, tool))) {
        return candidate;
      }
    }
    return undefined;
  }

  private async onPath(name: ToolName): Promise<readonly string[]> {
    const entries = this.searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry));
    // Our own links are not an installation: they would be found after what they point to is gone, or out of date.
    const others = entries.filter((entry) => path.resolve(entry) !== this.folders.bin);
    const files = others.map((entry) => path.join(entry, name));
    const plugins = name === "buildx" ? pluginFolders().map((folder) => path.join(folder, "docker-buildx")) : [];
    const resolved = [...files, ...plugins].map((file) => realpath(file).catch(() => undefined));
    const found = (await Promise.all(resolved)).filter((program) => program !== undefined);
    return [...new Set(found)].filter((program) => !program.startsWith(this.folders.standIns));
  }

  /** Where a program of our own making belongs; undefined where the system decides, and for stand-ins. */
  private async target(tool: Tool): Promise<string | undefined> {
    switch (tool.source.from) {
      case "go":
        return goProgram(tool, tool.source, this.folders);
      case "python":
        return pythonProgram(tool, this.folders);
      case "debian":
      case "standIn":
        return undefined;
    }
    tool.source satisfies never;
  }

  private async obtain(tool: Tool): Promise<string> {
    const label = [tool.name, tool.version].filter((part) => part !== undefined).join(" ");
    // The installers have their own locks.
    await installVendorProgram(tool, this.folders, () => this.find("pulumi"));
    const lock = path.join(this.folders.cache, "locks", tool.name);
    const waiting = (): void => this.progress(`waiting for another process that makes ${label}`);
    return withLock(lock, { what: label, waiting }, async () => {
      const already = await this.installed(tool);
      return already ?? (await this.make(tool, label));
    });
  }

  private async make(tool: Tool, label: string): Promise<string> {
    const { source } = tool;
    const target = (await this.target(tool)) ?? "";
    switch (source.from) {
      case "go":
        await withProgress(this.progress, `building ${label}`, () => goBuild(tool, source, target, this.folders));
        break;
      case "python":
        await withProgress(this.progress, `installing ${label}`, () =>
          installPythonPackage(tool, source.package, target),
        );
        break;
      case "debian":
        await withProgress(this.progress, `installing ${label}`, () => installDebianPackage(tool.name, source.package));
        break;
      case "standIn":
        return this.standIn(tool, source.package);
      default:
        source satisfies never;
    }
    return (await this.installed(tool)) ?? this.useless(tool, this.folders.cache);
  }

  private async standIn(tool: Tool, name: "command" | "github"): Promise<string> {
    const launcher = await standInLauncher(name, this.folders.standIns);
    return (await this.checked.fits(launcher, tool)) ? launcher : this.useless(tool, this.folders.standIns);
  }

  private useless(tool: Tool, folder: string): never {
    const reason = `made, but it does not run or is not version ${JSON.stringify(tool.version)}`;
    throw new MissingToolError(tool.name, reason, `remove ${JSON.stringify(folder)} and try again`);
  }
}

/** Where Docker keeps its plugins for a user, and for all. Source: docker/cli, cli-plugins/manager. */
function pluginFolders(): readonly string[] {
  const shared = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
  return [path.join(homedir(), ".docker"), ...shared.map((folder) => path.join(folder, "docker"))].map((folder) =>
    path.join(folder, "cli-plugins"),
  );
}

/** Points a link at a program; others see the old link or the new one, never none. */
async function link(file: string, target: string): Promise<void> {
  if ((await realpath(file).catch(() => undefined)) === target) {
    return;
  }
  await placeWhole(file, (draft) => symlink(target, draft));
}
