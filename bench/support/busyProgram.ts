import { printingProgram, type PrintingPlatform } from "../../test/e2e/support/printingProgram";

/** Rounds of the loop that take about a second: natively, and under QEMU's emulation, on a 2020s server core. */
const perSecond = { "linux/amd64": 3_000_000_000, "linux/arm64": 600_000_000 } as const satisfies Partial<
  Record<PrintingPlatform, number>
>;

/** Platforms a {@link busyProgram} can be made for. */
export type BusyPlatform = keyof typeof perSecond;

const entryField = 24;
const headers = 64 + 56;

/**
 * A static program that keeps a core busy and then prints a text: stands in for a compiler, with the same work in every
 * build.
 * @param seconds roughly; what matters is that it is the same for every contestant.
 */
export function busyProgram(platform: BusyPlatform, seconds: number, text: string): Buffer {
  const program = printingProgram(platform, text);
  const loop = loops[platform](BigInt(Math.max(1, Math.round(perSecond[platform] * seconds))));
  // The printing code finds its text relative to itself, so the loop can go in front of it.
  const busy = Buffer.concat([program.subarray(0, headers), loop, program.subarray(headers)]);
  for (const field of [96, 104]) busy.writeBigUInt64LE(BigInt(busy.length), field);
  busy.writeBigUInt64LE(program.readBigUInt64LE(entryField), entryField);
  return busy;
}

const loops: Readonly<Record<BusyPlatform, (rounds: bigint) => Buffer>> = {
  "linux/amd64": (rounds) => {
    const code = Buffer.from([0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0xff, 0xc9, 0x75, 0xfb]); // mov rcx, rounds; dec rcx; jnz
    code.writeBigUInt64LE(rounds, 2);
    return code;
  },
  "linux/arm64": (rounds) => {
    const part = (position: number): number => Number((rounds >> BigInt(16 * position)) & 0xffffn) << 5;
    const words = [
      ...[0xd2800009 | part(0), 0xf2a00009 | part(1), 0xf2c00009 | part(2)], // movz x9; movk x9, lsl 16; movk x9, lsl 32
      ...[0xf1000529, 0x54ffffe1], // subs x9, x9, #1; b.ne
    ];
    const code = Buffer.alloc(words.length * 4);
    words.forEach((word, position) => code.writeUInt32LE(word >>> 0, position * 4));
    return code;
  },
};
