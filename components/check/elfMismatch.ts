import { elfIdentity, platformParts, type ElfIdentity, type Platform } from "../model/platform";
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
