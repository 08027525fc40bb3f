import { describe, expect, it } from "vitest";
import { check, program, refusal, tar } from "./memoryImage";

const mediaType = "application/vnd.oci.image.layer.v1.tar+zstd";

/** A zstd frame of uncompressed blocks (RFC 8878): magic number, header with a 1 MiB window, blocks of at most 100 kB. */
function frame(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50])];
  for (let at = 0; at < data.length; at += 100_000) {
    const block = data.subarray(at, at + 100_000);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + block.length === data.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

/** What `zstd -19` makes of an archive that holds one program for amd64, `bin/tool`, and 200 kB of repeated text. */
const compressed =
  "KLUv/aQAGAMARAIAEgMKELA3BwBNcMiSFBCStrtr4OyVZ+RERBZDte1qrQc+nNUfjtXiT3lGBgoA+P0ouZIcFeCfQd8gGXjzMtQ6oA1Y4QUMT0ALzQEA2ABiaW4vdG9vbDc1NTE2NjR/RUxGAgEBAgA+AAkA6b2fzNTMGFDH9QNWAMrgAYhxYt5Lcc8D8mIFco+y2g==";

describe("a zstd layer", () => {
  it("is read like any other", async () => {
    const bytes = frame(
      await tar([{ name: "text", body: "text ".repeat(100_000) }, program("bin/tool", "linux/amd64")]),
    );
    expect(await refusal(check([{ mediaType, bytes }]))).toContain('"/bin/tool" is an executable for amd64');
  });

  it("is read as the zstd program writes it", async () => {
    const bytes = Buffer.from(compressed, "base64");
    expect(await refusal(check([{ mediaType, bytes }]))).toContain('"/bin/tool" is an executable for amd64');
  });

  it("may consist of several frames, some of them to be skipped", async () => {
    const archive = await tar([{ name: "text", body: "text ".repeat(10_000) }, program("bin/tool", "linux/amd64")]);
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const bytes = Buffer.concat([frame(archive.subarray(0, 700)), skipped, frame(archive.subarray(700)), skipped]);
    expect(await refusal(check([{ mediaType, bytes }]))).toContain('"/bin/tool" is an executable for amd64');
  });

  it("is damaged when it is cut short or no zstd data", async () => {
    const whole = frame(await tar([{ name: "text", body: "text ".repeat(100_000) }]));
    for (const bytes of [
      whole.subarray(0, 300_000),
      Buffer.from("<html>"),
      Buffer.from(compressed, "base64").subarray(0, 100),
    ]) {
      expect(await refusal(check([{ mediaType, bytes }]))).toContain("is damaged");
    }
  });
});
