import { describe, expect, it } from "vitest";
import { check, digestOf, elf, layer, refusal } from "./memoryImage";

const path = "/app/bin/server";
const base = elf("linux/arm64");
const fork = Buffer.concat([elf("linux/arm64"), Buffer.from("fork")]);
const server = (body: Buffer) => ({ name: "app/bin/server", mode: 0o755, body });
const identical = (body: Buffer) => ({ path, checksum: digestOf(body), replaces: true });

describe("a file that replaces one of the image below", () => {
  it("passes when it is the known file and the one below is another", async () => {
    const layers = [await layer(server(base)), await layer(server(fork))];
    await expect(check(layers, {}, { identical: identical(fork) })).resolves.toMatchObject({ checkedFiles: 1 });
  });

  it("fails when the known file is the very one below, wherever that came from", async () => {
    const layers = [await layer(server(base)), await layer(server(base))];
    const reason = await refusal(check(layers, {}, { identical: identical(base) }));
    expect(reason).toContain(`file "${path}" is byte for byte the one of the image it is built on`);
  });

  it("fails when the one below is in a base layer", async () => {
    const [lower, upper] = [await layer(server(base)), await layer(server(base), { name: "other" })];
    const request = { identical: identical(base), baseLayers: [digestOf(lower.bytes)] };
    expect(await refusal(check([lower, upper], {}, request))).toContain("which it was to replace");
  });

  it("fails when there is none below", async () => {
    const reason = await refusal(check([await layer(server(fork))], {}, { identical: identical(fork) }));
    expect(reason).toContain("replaces nothing: only 1 of the layers holds it");
  });

  it("is only asked for where the app says so", async () => {
    const plain = { path, checksum: digestOf(fork) };
    await expect(check([await layer(server(fork))], {}, { identical: plain })).resolves.toBeDefined();
  });
});
