import { type ElfIdentity, type Platform, elfIdentity, platformParts } from "../model/platform";
import type { ImageConfiguration } from "../registry/imageConfiguration";
import type { FileTree, Resolution } from "./fileTree";
import type { FileHead } from "./layerListing";

/** Machines that are no host processors: none (0), CUDA (190), AMD GPU (224), BPF (247). Such files are data to the platform. */
const deviceMachines: ReadonlySet<number> = new Set([0, 190, 224, 247]);

/** Object files and core dumps: no system runs them, so their machine says nothing about the image. */
const notLoadable: ReadonlySet<number> = new Set([1, 4]);

const machineNames: Readonly<Record<number, string>> = {
  3: "386|x86|ia32|i[3-6]86",
  21: "ppc64le|ppc64",
  22: "s390x",
  40: "arm|armv[5-8]l?|armhf|armel",
  62: "amd64|x64|x86_64|x86-64",
  183: "arm64|aarch64",
  243: "riscv64",
  258: "loong64|loongarch64",
};

/**
 * Says what is wrong with an executable file on a platform, or undefined when nothing is. `path` is absolute in the image.
 *
 * Right are: the platform's own machine, class and byte order; 386 programs on amd64, which every amd64 Linux may run
 * (the reverse and 32-bit arm on arm64 are wrong: many processors lack the mode); code for devices, not for processors.
 * Native Node addons (`*.node`) that name their own machine in the file name or below a `prebuilds` folder are right too:
 * such packages carry one file per machine and choose when loading. arm variants cannot be told from the header.
 */
export function elfMismatch(head: FileHead, platform: Platform, path: string): string | undefined {
  if (head.kind !== "elf" || notLoadable.has(head.type)) return undefined;
  if (head.bits === 0) return `has a damaged ELF header`;
  if (deviceMachines.has(head.machine) || accepted(platform).some((identity) => matches(head, identity)))
    return undefined;
  if (isOneOfManyAddons(head.machine, path)) return undefined;
  const found = `${describe(head)} (ELF machine ${head.machine}, ${head.bits}-bit, ${order(head.littleEndian)})`;
  return `is an executable for ${found}; wanted is ${platform}. Was it copied from a stage of another platform?`;
}

type Elf = Extract<FileHead, { kind: "elf" }>;

function accepted(platform: Platform): readonly ElfIdentity[] {
  const own = elfIdentity(platform);
  return platformParts(platform).architecture === "amd64" ? [own, elfIdentity("linux/386")] : [own];
}

function matches(head: Elf, identity: ElfIdentity): boolean {
  return (
    head.machine === identity.machine && head.bits === identity.bits && head.littleEndian === identity.littleEndian
  );
}

function isOneOfManyAddons(machine: number, path: string): boolean {
  const names = machineNames[machine];
  if (names === undefined || !path.endsWith(".node")) return false;
  const labelled = /\/prebuilds\/(.*)$/.exec(path)?.[1] ?? path.slice(path.lastIndexOf("/") + 1);
  return new RegExp(`(?:^|[^a-z0-9])(?:${names})(?:[^a-z0-9]|$)`, "i").test(labelled);
}

function describe(head: Elf): string {
  return machineNames[head.machine]?.split("|")[0] ?? "an unknown processor";
}

function order(littleEndian: boolean): string {
  return littleEndian ? "little-endian" : "big-endian";
}

/** A program the image starts with, as its configuration writes it. */
export interface StartedProgram {
  /** For messages: which field names it. */
  readonly role: string;
  /** A path, or a name to be found through PATH. */
  readonly program: string;
}

/** PATH when the image sets none. Source: containerd and runc. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** First words a shell runs itself. What follows `exec` is a program again. */
const shellWords = new Set(
  ". : [ alias break case cd command continue echo eval exit export false for function getopts hash if local printf pwd read readonly return set shift source test then time times trap true type ulimit umask unset until wait while".split(
    " ",
  ),
);

/**
 * The programs a container of this image starts with: the first word of entrypoint and command together and,
 * when that is a shell with a simple script, the first word of the script. Empty for an image that starts nothing.
 */
export function startedPrograms(config: ImageConfiguration): readonly StartedProgram[] {
  const { entrypoint, command } = config;
  const [program, option, script] = [...entrypoint, ...command];
  if (program === undefined) return [];
  const role = entrypoint.length > 0 ? "entrypoint" : "command";
  const first = { role, program };
  const isShell = option === "-c" && /^(.*\/)?(sh|bash|ash|dash)$/.test(program);
  const word = isShell && script !== undefined ? firstWord(script) : undefined;
  return word === undefined ? [first] : [first, { role: `shell script of the ${role}`, program: word }];
}

/** The first word, if it surely is a program: no variable, quote, assignment, redirection or word of the shell's own. */
function firstWord(script: string): string | undefined {
  const word = /^\s*(?:exec\s+)?([A-Za-z0-9_./+-]+)(?=\s|$)/.exec(script)?.[1];
  return word === undefined || word === "exec" || word.startsWith("-") || shellWords.has(word) ? undefined : word;
}

/** Where a program is in the image: the first executable match, else the most telling miss. */
export function locateProgram(tree: FileTree, config: ImageConfiguration, program: string): Resolution {
  if (program.includes("/")) return tree.resolve(absolute(config, program));
  const path = config.environment.findLast((line) => line.startsWith("PATH="))?.slice("PATH=".length) ?? defaultPath;
  const matches = path.split(":").map((folder) => tree.resolve(absolute(config, `${folder || "."}/${program}`)));
  const files = matches.filter((match) => match.state === "found" && match.node.kind === "file");
  const executable = files.find(
    (match) => match.state === "found" && match.node.kind === "file" && match.node.file.executable,
  );
  return executable ?? files[0] ?? { state: "missing", path: program };
}

/** What is wrong with a started program, or undefined when it exists, is executable and fits the platform. */
export function programProblem(started: StartedProgram, found: Resolution, platform: Platform): string | undefined {
  const subject = `${started.role} ${JSON.stringify(started.program)}`;
  const at = JSON.stringify(found.path);
  if (found.state === "missing") return `${subject} is not in the image (looked for ${at})`;
  if (found.state === "loop") return `${subject} cannot be reached: too many symbolic links at ${at}`;
  if (found.node.kind !== "file") return `${subject} leads to ${at}, which is a ${found.node.kind}, not a program`;
  const { executable, head } = found.node.file;
  if (!executable) return `${subject} leads to ${at}, which has no execute permission`;
  if (head.kind !== "elf" && head.kind !== "script") {
    const hint = head.kind === "markup" ? " but an HTML or XML page" : "";
    return `${subject} leads to ${at}, which is neither an ELF program nor a script${hint}`;
  }
  const mismatch = elfMismatch(head, platform, found.path);
  return mismatch === undefined ? undefined : `${subject} leads to ${at}, which ${mismatch}`;
}

function absolute(config: ImageConfiguration, path: string): string {
  return path.startsWith("/") ? path : `${config.workingDirectory || "/"}/${path}`;
}
