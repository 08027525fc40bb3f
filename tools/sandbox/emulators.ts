import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../../components/model/reasonOf";
import { fateOf, processIdentity } from "../../components/system/lock";

/** Where the kernel lists and takes registrations of interpreters. */
const binfmt = "/proc/sys/fs/binfmt_misc";

interface Architecture {
  /** The name QEMU has for it. */
  readonly qemu: string;
  /** `e_machine`, as the two bytes of a little-endian ELF header, in the kernel's escapes. */
  readonly machine: string;
}

/** Architectures a sandbox emulates; all are 64-bit little-endian. */
const emulated: Readonly<Record<string, Architecture>> = {
  amd64: { qemu: "x86_64", machine: String.raw`\x3e\x00` },
  arm64: { qemu: "aarch64", machine: String.raw`\xb7\x00` },
  ppc64le: { qemu: "ppc64le", machine: String.raw`\x15\x00` },
};

const nativeNames: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", ppc64: "ppc64le" };

/** Interpreters to register: unique names and the kernel's lines for them. */
export interface Emulators {
  readonly names: readonly string[];
  readonly lines: readonly string[];
  /** Architectures for which no QEMU is installed. */
  readonly missing: readonly string[];
}

/**
 * The QEMU interpreters to register for the architectures this machine is not, where nobody has done it yet.
 * The interpreter is opened at registration (flag F), so it works inside containers.
 */
export function planEmulators(instance: string): Emulators {
  const foreign = Object.keys(emulated).filter((name) => name !== nativeNames[process.arch]);
  const wanted = foreign.filter((name) => !registeredByMachine(emulated[name]?.qemu ?? ""));
  const owner = `mirror-${instance}`;
  const found = wanted.flatMap((name) => {
    const { qemu, machine } = emulated[name] as Architecture;
    const interpreter = findInterpreter(qemu);
    return interpreter ? [{ key: `${owner}-${qemu}`, line: line(`${owner}-${qemu}`, machine, interpreter) }] : [];
  });
  const missing = wanted.filter((name) => !findInterpreter(emulated[name]?.qemu ?? ""));
  return { names: found.map(({ key }) => key), lines: found.map((entry) => entry.line), missing };
}

/** A name for a sandbox of this process: the identity of the process, and a random part. */
export function instanceName(): string {
  return `${processIdentity(process.pid)}-${randomBytes(3).toString("hex")}`;
}

/** The identity of the process that {@link instanceName} names. */
export function ownerOf(instance: string): string {
  return instance.replace(/-[0-9a-f]+$/, "");
}

/** Removes registrations of sandboxes whose supervisor is gone without having cleaned up. */
export function removeStaleEmulators(): void {
  if (!existsSync(join(binfmt, "register"))) return;
  for (const name of readdirSync(binfmt)) {
    const identity = /^mirror-([0-9a-f]+(?:-\d+){3})-/.exec(name)?.[1];
    if (identity !== undefined && fateOf(identity) === "dead") removeEmulator(name);
  }
}

/** Removes one registration; one that is gone already is fine. */
function removeEmulator(name: string): void {
  try {
    writeFileSync(join(binfmt, name), "-1");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** Bits of `e_type` that tell programs from shared objects are masked out, as is the ABI byte, like in QEMU's own list. */
function line(name: string, machine: string, { path, flags }: Interpreter): string {
  const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00${machine}`;
  const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
  return `:${name}:M::${magic}:${mask}:${path}:${flags}`;
}

interface Interpreter {
  readonly path: string;
  readonly flags: string;
}

function findInterpreter(qemu: string): Interpreter | undefined {
  const candidates: readonly Interpreter[] = [
    // Under this name QEMU expects the program's own argv[0] as well (flag P).
    { path: `/usr/libexec/qemu-binfmt/${qemu}-binfmt-P`, flags: "POCF" },
    { path: `/usr/bin/qemu-${qemu}-static`, flags: "OCF" },
  ];
  return candidates.find(({ path }) => existsSync(path));
}

function registeredByMachine(qemu: string): boolean {
  const file = join(binfmt, `qemu-${qemu}`);
  return (
    existsSync(file) && /^enabled$/m.test(readFileSync(file, "utf8")) && /^flags:.*F/m.test(readFileSync(file, "utf8"))
  );
}
