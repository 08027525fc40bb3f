import type { Platform } from "../../../components/model/platform";

/** Platforms a {@link printingProgram} can be made for. */
export const printingPlatforms = ["linux/amd64", "linux/arm64", "linux/ppc64le"] as const satisfies readonly Platform[];

/** One of {@link printingPlatforms}. */
export type PrintingPlatform = (typeof printingPlatforms)[number];

const address = 0x400000;
const headers = 64 + 56;

/**
 * A static ELF program of some 200 bytes that prints a text and ends with status 0: an app to mirror that costs nothing
 * to build, and whose smoke command really runs on every platform. Registers and call numbers are those of the kernel's
 * system call tables (write, exit).
 */
export function printingProgram(platform: PrintingPlatform, text: string): Buffer {
  const message = Buffer.from(text);
  const { machine, flags, code } = programs[platform](message.length);
  return executable(machine, flags, Buffer.concat([code, message]));
}

/** One that waits for ever and costs no processor: the system call is ppoll, without anything to wait for. */
export function waitingProgram(platform: "linux/amd64" | "linux/arm64"): Buffer {
  const wait = {
    "linux/amd64": Buffer.from([
      ...[0xb8, 0x0f, 0x01, 0, 0, 0x31, 0xff, 0x31, 0xf6], // mov eax, 271; xor edi, edi; xor esi, esi
      ...[0x31, 0xd2, 0x45, 0x31, 0xd2, 0x0f, 0x05], // xor edx, edx; xor r10d, r10d; syscall
    ]),
    // mov x8, #73; mov x0, #0; mov x1, #0; mov x2, #0; mov x3, #0; svc #0
    "linux/arm64": words([0xd2800928, 0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd4000001]),
  }[platform];
  return executable(programs[platform](0).machine, 0, wait);
}

function executable(machine: number, flags: number, content: Buffer): Buffer {
  const elf = Buffer.alloc(headers);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16); // executable
  elf.writeUInt16LE(machine, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(address + headers), 24); // entry
  elf.writeBigUInt64LE(64n, 32); // program headers
  elf.writeUInt32LE(flags, 48);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64); // loadable
  elf.writeUInt32LE(5, 68); // readable, executable
  elf.writeBigUInt64LE(BigInt(address), 80);
  elf.writeBigUInt64LE(BigInt(address), 88);
  elf.writeBigUInt64LE(BigInt(headers + content.length), 96);
  elf.writeBigUInt64LE(BigInt(headers + content.length), 104);
  elf.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([elf, content]);
}

interface Program {
  readonly machine: number;
  readonly flags: number;
  readonly code: Buffer;
}

/** The text follows right after the code, whose length is therefore part of it. */
const programs: Readonly<Record<PrintingPlatform, (length: number) => Program>> = {
  "linux/amd64": (length) => ({
    machine: 62,
    flags: 0,
    code: Buffer.from([
      ...[0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0], // mov eax, 1; mov edi, 1
      ...[0x48, 0x8d, 0x35, 16, 0, 0, 0], // lea rsi, [rip + 16]
      ...[0xba, length & 0xff, length >> 8, 0, 0, 0x0f, 0x05], // mov edx, length; syscall
      ...[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05], // mov eax, 60; xor edi, edi; syscall
    ]),
  }),
  "linux/arm64": (length) => ({
    machine: 183,
    flags: 0,
    code: words([
      ...[0xd2800808, 0xd2800020, 0x100000c1], // mov x8, #64; mov x0, #1; adr x1, #24
      ...[0xd2800002 | (length << 5), 0xd4000001], // mov x2, #length; svc #0
      ...[0xd2800ba8, 0xd2800000, 0xd4000001], // mov x8, #93; mov x0, #0; svc #0
    ]),
  }),
  "linux/ppc64le": (length) => {
    const text = address + headers + 9 * 4;
    return {
      machine: 21,
      flags: 2, // ABI version 2: the entry is an address, no descriptor
      code: words([
        ...[0x38000004, 0x38600001], // li r0, 4; li r3, 1
        ...[0x3c800000 | (text >> 16), 0x60840000 | (text & 0xffff)], // lis r4, text@h; ori r4, r4, text@l
        ...[0x38a00000 | length, 0x44000002], // li r5, length; sc
        ...[0x38000001, 0x38600000, 0x44000002], // li r0, 1; li r3, 0; sc
      ]),
    };
  },
};

function words(values: readonly number[]): Buffer {
  const code = Buffer.alloc(values.length * 4);
  values.forEach((value, position) => code.writeUInt32LE(value >>> 0, position * 4));
  return code;
}
