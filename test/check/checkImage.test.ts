import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkImage, CheckError } from "../../components/check/checkImage";
import { createGzip } from "node:zlib";
import { ImageBounds } from "../../components/check/listingBuilder";
import { readLayer } from "../../components/check/readLayer";
import {
  check,
  configuration,
  digestOf,
  elf,
  gzipLayer,
  imageDigest,
  inspectIn,
  layer,
  MemoryRegistry,
  program,
  refusal,
  repository,
  tar,
  type TarEntry,
} from "./memoryImage";

const started = { command: ["/app/server"] };
const server = program("app/server");

describe("the platform of a finished image", () => {
  it("passes when the configuration names it and every program fits", async () => {
    const own = await layer(
      server,
      { name: "app/start", mode: 0o755, body: "#!/bin/sh\n" },
      { name: "app/data", body: "x" },
    );
    expect(await check([own], started)).toEqual({
      checkedFiles: 2,
      bytesRead: own.bytes.length,
      milliseconds: expect.any(Number),
    });
  });

  it("is refused when the configuration names another one", async () => {
    const message = await refusal(check([await layer(server)], { ...started, platform: "linux/amd64" }));
    expect(message).toMatch(/^linux\/arm64: /);
    expect(message).toContain(`(the image is ${repository}@${imageDigest})`);
    expect(message).toContain("the image configuration names the platform linux/amd64, wanted is linux/arm64");
  });

  it("is asked for while the layers are read", async () => {
    const registry = new MemoryRegistry([await layer(server)], configuration(started));
    registry.imageConfig = async () => {
      await new Promise(setImmediate);
      expect(registry.requests).toHaveLength(1);
      return registry.config;
    };
    expect(await check([], {}, { inspect: inspectIn(registry) })).toMatchObject({ checkedFiles: 1 });
  });

  it("is refused when the digest names an index or nothing", async () => {
    for (const [manifest, said] of [
      [undefined, "no such manifest"],
      [
        { kind: "index", digest: imageDigest, mediaType: "", bytes: Buffer.alloc(0), annotations: {}, manifests: [] },
        "an index",
      ],
    ] as const) {
      const registry = Object.assign(new MemoryRegistry([], configuration()), { manifest: async () => manifest });
      expect(await refusal(check([], {}, { inspect: inspectIn(registry) }))).toContain(said);
    }
  });

  it("is refused with the registry's own words when the registry cannot be read", async () => {
    const registry = new MemoryRegistry([], configuration());
    registry.manifest = async () => Promise.reject(new Error("503 from registry.example"));
    const error = await check([], {}, { inspect: inspectIn(registry) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckError);
    expect((error as CheckError).message).toContain("503 from registry.example");
    expect((error as CheckError).cause).toBeInstanceOf(Error);
  });
});

describe("programs for another machine", () => {
  const helper = program("usr/bin/helper", "linux/amd64");
  const named =
    '"/usr/bin/helper" is an executable for amd64 (ELF machine 62, 64-bit, little-endian); wanted is linux/arm64';

  it("are named", async () => {
    expect(await refusal(check([await layer(server, helper)], started))).toContain(named);
  });

  it.each([0o100, 0o010, 0o001, 0o4755, 0o2711])("are found with the mode %o", async (mode) => {
    expect(await refusal(check([await layer(server, { ...helper, mode })], started))).toContain(named);
  });

  it("are ignored without an execute bit", async () => {
    await expect(check([await layer(server, { ...helper, mode: 0o644 })], started)).resolves.toBeDefined();
  });

  it("are fine when a later layer overwrites them", async () => {
    const layers = [await layer(helper), await layer(server, program("usr/bin/helper"))];
    await expect(check(layers, started)).resolves.toMatchObject({ checkedFiles: 2 });
    expect(await refusal(check(layers.toReversed(), started))).toContain(named);
  });

  it.each<[string, TarEntry]>([
    ["a whiteout", { name: "usr/bin/.wh.helper" }],
    ["a whiteout of the folder above", { name: "usr/.wh.bin" }],
    ["an opaque folder", { name: "usr/bin/.wh..wh..opq" }],
    ["an opaque root", { name: ".wh..wh..opq" }],
    ["a file in place of the folder", { name: "usr/bin", body: "x" }],
    ["a symbolic link in place of the folder", { name: "usr/bin", type: "symlink", linkname: "/app" }],
    ["a device", { name: "usr/bin/helper", type: "character-device" }],
  ])("are fine when a later layer removes them: %s", async (_name, removal) => {
    await expect(check([await layer(helper), await layer(removal, server)], started)).resolves.toBeDefined();
  });

  it("are not hidden by a whiteout of their own layer, wherever it stands", async () => {
    for (const entries of [
      [helper, { name: "usr/.wh.bin" }],
      [{ name: "usr/bin/.wh..wh..opq" }, helper],
    ]) {
      expect(await refusal(check([await layer(server, ...entries)], started))).toContain(named);
    }
  });

  it("are found under the name of a hard link after the first name is gone", async () => {
    const linked = await layer(server, helper, {
      name: "opt/tool",
      type: "link",
      linkname: "usr/bin/helper",
      mode: 0o755,
    });
    const message = await refusal(check([linked, await layer({ name: "usr/.wh.bin" })], started));
    expect(message).toContain('"/opt/tool" is an executable for amd64');
    expect(message).not.toContain("helper");
  });

  it("are found under a hard link from a higher layer", async () => {
    const link = await layer(
      { name: "opt/tool", type: "link", linkname: "usr/bin/helper", mode: 0o755 },
      { name: "usr/.wh.x" },
    );
    const layers = [await layer(server, { ...helper, mode: 0o644 }), link];
    expect(await refusal(check(layers, started))).toContain('"/opt/tool" is an executable for amd64');
  });

  it("are not ours to judge in layers of the base", async () => {
    const base = await layer(helper);
    const layers = [base, await layer(server)];
    const request = { baseLayers: [digestOf(base.bytes)] };
    await expect(check(layers, started, request)).resolves.toMatchObject({ checkedFiles: 1 });
    expect(await refusal(check(layers, started))).toContain(named);
  });

  it("are allowed where the request says they belong", async () => {
    const layers = [await layer(server, helper)];
    await expect(check(layers, started, { foreign: ["/usr/bin"] })).resolves.toBeDefined();
    expect(await refusal(check(layers, started, { foreign: ["/usr/bi", "/usr/bin/helper2"] }))).toContain(named);
  });

  it("are listed ten at a time, with hostile names escaped", async () => {
    const many = Array.from({ length: 13 }, (_, index) => program(`bin/\n::error::${index}`, "linux/amd64"));
    const error = await check([await layer(server, ...many)], started).catch((thrown: unknown) => thrown);
    expect((error as CheckError).problems).toHaveLength(13);
    expect((error as CheckError).message.match(/ is an executable /g)).toHaveLength(10);
    expect((error as CheckError).message).toContain("and 3 more");
  });

  it("give the same verdict in whatever order a layer lists its files", async () => {
    const platforms = fc.constantFrom(
      "linux/amd64",
      "linux/arm64",
      "linux/s390x",
      "linux/ppc64le",
    ) as fc.Arbitrary<`linux/${string}`>;
    const files = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c/d", "c/e", "f/g/h"), platforms, fc.boolean()), {
      selector: ([name]) => name,
    });
    const shuffled = fc
      .array(files, { minLength: 1, maxLength: 3 })
      .chain((layers) =>
        fc.tuple(
          fc.constant(layers),
          fc.tuple(...layers.map((each) => fc.shuffledSubarray(each, { minLength: each.length }))),
        ),
      );
    const verdict = async (
      layers: readonly (readonly [string, `linux/${string}`, boolean][])[],
    ): Promise<readonly string[]> => {
      const built = layers.map((each) =>
        layer(...each.map(([name, platform, run]) => program(name, platform, run ? 0o755 : 0o644))),
      );
      const outcome = await check(await Promise.all(built)).catch((error: unknown) => error);
      return outcome instanceof CheckError ? outcome.problems : [];
    };
    await fc.assert(
      fc.asyncProperty(shuffled, async ([layers, permuted]) => {
        const problems = await verdict(layers);
        expect(await verdict(permuted)).toEqual(problems);
        const final = new Map(layers.flat().map((file) => [file[0], file]));
        expect(problems).toHaveLength(
          [...final.values()].filter(([, platform, run]) => run && platform !== "linux/arm64").length,
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe("what the image starts", () => {
  const problem = async (files: readonly TarEntry[], config: Parameters<typeof check>[1]): Promise<string> =>
    refusal(check([await layer(...files)], config));

  it.each<[string, readonly TarEntry[], Parameters<typeof check>[1]]>([
    ["nothing, as a base image does", [], {}],
    ["a full path", [server], { command: ["/app/server", "--x"] }],
    ["an entrypoint with a command", [server], { entrypoint: ["/app/server"], command: ["no-program"] }],
    ["a name found on the image's PATH", [server], { command: ["server"], environment: ["PATH=/opt:/app"] }],
    ["a name found on the default PATH", [program("usr/bin/server")], { command: ["server"] }],
    ["a path relative to the working directory", [server], { command: ["./server"], workingDirectory: "/app" }],
    [
      "a program behind symbolic links of both kinds",
      [
        program("usr/lib/app/server"),
        { name: "bin", type: "symlink", linkname: "usr/bin" },
        { name: "usr/bin/server", type: "symlink", linkname: "../../opt/../opt/server" },
        { name: "opt/server", type: "symlink", linkname: "/usr/lib/app/server" },
      ],
      { command: ["/bin/server"] },
    ],
    [
      "a link that leads above the root and stays in the image",
      [server, { name: "s", type: "symlink", linkname: "../../app/server" }],
      { command: ["/s"] },
    ],
    ["a script", [{ name: "start", mode: 0o755, body: "#!/bin/sh\n" }], { entrypoint: ["/start"] }],
    ["a shell and its program", [program("bin/sh"), server], { command: ["/bin/sh", "-c", "exec /app/server --x"] }],
    ["a shell with a script of its own words", [program("bin/sh")], { command: ["/bin/sh", "-c", "cd /app && $X"] }],
    ["a shell with a script too clever to judge", [program("bin/sh")], { command: ["/bin/sh", "-c", 'A=1 "$APP"'] }],
  ])("may be %s", async (_name, files, config) => {
    await expect(check([await layer(...files)], config)).resolves.toBeDefined();
  });

  it.each<[string, readonly TarEntry[], Parameters<typeof check>[1], string]>([
    ["it is missing", [server], { entrypoint: ["/app/serve"] }, 'entrypoint "/app/serve" is not in the image'],
    ["no folder of the PATH has it", [server], { command: ["server"] }, 'command "server" is not in the image'],
    [
      "the image is distroless and the command wants a shell",
      [server],
      { command: ["/bin/sh", "-c", "/app/server"] },
      'command "/bin/sh" is not in the image',
    ],
    [
      "the shell's program is missing",
      [program("bin/sh")],
      { command: ["/bin/sh", "-c", "gunicorn x"] },
      'shell script of the command "gunicorn" is not',
    ],
    [
      "its link leads nowhere",
      [{ name: "s", type: "symlink", linkname: "/gone" }],
      { command: ["/s"] },
      'looked for "/gone"',
    ],
    [
      "its links go round",
      [{ name: "s", type: "symlink", linkname: "s" }],
      { command: ["/s"] },
      "too many symbolic links",
    ],
    ["it may not be executed", [{ ...server, mode: 0o644 }], started, "which has no execute permission"],
    ["it is a folder", [server], { command: ["/app"] }, "which is a directory, not a program"],
    [
      "it is an error page",
      [{ ...server, body: "<html>404" }],
      started,
      "neither an ELF program nor a script but an HTML or XML page",
    ],
    [
      "it is for another machine",
      [program("app/server", "linux/amd64")],
      started,
      '"/app/server" is an executable for amd64',
    ],
  ])("is refused when %s", async (_name, files, config, said) => {
    expect(await problem(files, config)).toContain(said);
  });

  it("is named once when it is for another machine", async () => {
    const message = await problem([program("app/server", "linux/amd64")], started);
    expect(message.match(/executable for amd64/g)).toHaveLength(1);
  });

  it("is looked up in the base from the top, no further down than needed", async () => {
    const [bottom, top] = [await layer(program("bin/low")), await layer(program("bin/sh"))];
    const layers = [bottom, top, await layer(server)];
    const registry = new MemoryRegistry(layers, configuration({ command: ["/bin/sh", "-c", "/app/server"] }));
    const baseLayers = [digestOf(bottom.bytes), digestOf(top.bytes)];
    await check(layers, {}, { inspect: inspectIn(registry), baseLayers });
    expect(registry.requests).toEqual([layers[2], top].map((each) => digestOf(each?.bytes ?? Buffer.alloc(0))));
  });

  it("is refused when the base has it for another machine", async () => {
    const base = await layer(program("bin/sh", "linux/s390x"));
    const config = { command: ["/bin/sh", "-c", "echo"] };
    const message = await refusal(check([base, await layer(server)], config, { baseLayers: [digestOf(base.bytes)] }));
    expect(message).toContain('command "/bin/sh" leads to "/bin/sh", which is an executable for s390x');
  });

  it("is missing when a layer of ours removes what the base has", async () => {
    const base = await layer(program("bin/sh"));
    const config = { command: ["/bin/sh"] };
    const layers = [base, await layer({ name: "bin/.wh.sh" })];
    expect(await refusal(check(layers, config, { baseLayers: [digestOf(base.bytes)] }))).toContain(
      "is not in the image",
    );
  });

  it("reads a base layer that images share once", async () => {
    const base = await layer(program("bin/sh"), { name: "shared", body: randomBytes(8) });
    const requests = await Promise.all(
      [1, 2].map(async (number) => {
        const layers = [base, await layer({ name: `${number}` })];
        const registry = new MemoryRegistry(layers, configuration({ command: ["/bin/sh"] }));
        await check(layers, {}, { inspect: inspectIn(registry), baseLayers: [digestOf(base.bytes)] });
        return registry.requests.length;
      }),
    );
    expect(requests.toSorted()).toEqual([1, 2]);
  });
});

describe("a file that must be identical", () => {
  const body = Buffer.concat([elf("linux/arm64"), randomBytes(200_000)]);
  const sum = (algorithm: "sha256" | "sha512", bytes: Buffer): string =>
    `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  const file: TarEntry = { name: "app/server", mode: 0o755, body };

  it.each(["sha256", "sha512"] as const)(
    "passes with the right %s, computed on the first reading",
    async (algorithm) => {
      const identical = { path: "/app/server", checksum: sum(algorithm, body) };
      const own = await layer(file);
      await expect(check([own], started, { identical })).resolves.toMatchObject({ bytesRead: own.bytes.length });
    },
  );

  it("is compared as the final image has it, not as a lower layer had it", async () => {
    const layers = [await layer({ ...file, body: elf("linux/arm64") }), await layer(file)];
    const identical = { path: "/app/server", checksum: sum("sha256", body) };
    await expect(check(layers, started, { identical })).resolves.toBeDefined();
    expect(await refusal(check(layers.toReversed(), started, { identical }))).toContain(
      sum("sha256", elf("linux/arm64")),
    );
  });

  it("is found behind symbolic links and in the base", async () => {
    const base = await layer(file);
    const layers = [base, await layer({ name: "s", type: "symlink", linkname: "app/server" })];
    const identical = { path: "/s", checksum: sum("sha256", body) };
    await expect(check(layers, {}, { identical })).resolves.toBeDefined();
    await expect(check(layers, {}, { identical, baseLayers: [digestOf(base.bytes)] })).resolves.toBeDefined();
  });

  it("is refused with both checksums and the source when it differs", async () => {
    const identical = {
      path: "/app/server",
      checksum: sum("sha256", Buffer.from("other")),
      source: "https://example.org/s",
    };
    const message = await refusal(check([await layer(file)], started, { identical }));
    expect(message).toContain(sum("sha256", body));
    expect(message).toContain(identical.checksum);
    expect(message).toContain('"https://example.org/s"');
  });

  it("is called an error page when it is one", async () => {
    const identical = { path: "/app/server", checksum: sum("sha256", body) };
    const message = await refusal(check([await layer({ ...file, body: "<html>gone</html>" })], {}, { identical }));
    expect(message).toContain("it is an HTML or XML page");
  });

  it("is refused when it is missing or no regular file", async () => {
    const identical = { path: "/app", checksum: sum("sha256", body) };
    expect(await refusal(check([await layer(file)], {}, { identical }))).toContain("is a directory in the image");
    expect(await refusal(check([await layer()], {}, { identical }))).toContain('file "/app" is not in the image');
  });

  it.each(["sha256:12", `sha256:${"A".repeat(64)}`, `md5:${"1".repeat(32)}`, ""])(
    "is not compared with %j",
    async (checksum) => {
      expect(await refusal(check([], {}, { identical: { path: "/a", checksum } }))).toContain("accepted is");
    },
  );
});

describe("layers that cannot be read", () => {
  it.each<[string, (archive: Buffer, packed: Buffer) => { mediaType?: string; bytes: Buffer }]>([
    [
      "gzip data with a broken byte",
      (_a, packed) => ({ bytes: Buffer.from(packed).fill(0xff, packed.length >> 1, (packed.length >> 1) + 9) }),
    ],
    ["gzip data cut short", (_a, packed) => ({ bytes: packed.subarray(0, packed.length - 100) })],
    ["no gzip data at all", () => ({ bytes: Buffer.from("<html>error</html>") })],
    [
      "an archive cut short",
      (archive) => ({ mediaType: gzipLayer.replace("+gzip", ""), bytes: archive.subarray(0, 1300) }),
    ],
    [
      "an archive with a broken header",
      (archive) => ({ mediaType: gzipLayer.replace("+gzip", ""), bytes: Buffer.from(archive).fill(7, 0, 9) }),
    ],
  ])("are called damaged: %s", async (_name, make) => {
    const archive = await tar([{ name: "a", body: randomBytes(3000) }]);
    const { bytes: packed } = await layer({ name: "a", body: randomBytes(3000) });
    const own = { mediaType: gzipLayer, ...make(archive, packed) };
    const message = await refusal(check([own]));
    expect(message).toContain(`layer ${digestOf(own.bytes)} is damaged: `);
  });

  it.each(["../etc/passwd", "a/../../b"])("are called damaged when a path leaves the image: %j", async (name) => {
    expect(await refusal(check([await layer({ name, body: "x" })]))).toContain("leaves the image");
  });

  it("are refused when their media type is unknown", async () => {
    const own = { mediaType: "application/vnd.oci.image.layer.v1.tar+lzma", bytes: Buffer.from("x") };
    expect(await refusal(check([own]))).toContain(
      'media type \\"application/vnd.oci.image.layer.v1.tar+lzma\\"'.replaceAll("\\", ""),
    );
  });

  it("are read again when the transfer breaks off, three times at most", async () => {
    const own = await layer(server);
    const breaking = (failures: number): MemoryRegistry =>
      new MemoryRegistry([own], configuration(started), (bytes, attempt) =>
        Readable.from(
          (function* () {
            yield bytes.subarray(0, 20);
            if (attempt <= failures) throw new Error("connection reset");
            yield bytes.subarray(20);
          })(),
        ),
      );
    await expect(check([own], {}, { inspect: inspectIn(breaking(2)) })).resolves.toMatchObject({ checkedFiles: 1 });
    const registry = breaking(99);
    expect(await refusal(check([own], {}, { inspect: inspectIn(registry) }))).toContain(
      'could not be read from the registry: "connection reset"',
    );
    expect(registry.requests).toHaveLength(3);
  });
});

describe("reading a layer", () => {
  it("never holds a large file in memory", async () => {
    const size = 512 * 1024 * 1024;
    const header = (await tar([{ name: "big", mode: 0o755, body: "" }, server])).subarray(0, 512);
    header.write(`${size.toString(8).padStart(11, "0")} `, 124, "latin1");
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const piece = Buffer.alloc(1024 * 1024);
    let most = 0;
    const stream = (): Readable =>
      Readable.from(
        (function* () {
          yield header;
          for (let sent = 0; sent < size; sent += piece.length) {
            most = Math.max(most, process.memoryUsage().arrayBuffers);
            yield piece;
          }
        })(),
      );
    const own = { mediaType: "application/vnd.oci.image.layer.v1.tar", bytes: Buffer.from("stands for the archive") };
    const before = process.memoryUsage().arrayBuffers;
    const registry = new MemoryRegistry([own], configuration(), stream);
    const report = await checkImage({
      inspect: inspectIn(registry),
      repository,
      digest: imageDigest,
      platform: "linux/arm64",
      environment: {},
    });
    expect(report).toMatchObject({ checkedFiles: 1, bytesRead: size + 512 });
    expect(most - before).toBeLessThan(64 * 1024 * 1024);
  });

  it("understands long names and Docker's media types", async () => {
    const name = `${"long-folder-name/".repeat(20)}ü-tool`;
    const own = {
      ...(await layer(program(name, "linux/amd64"))),
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    };
    expect(await refusal(check([own]))).toContain(`"/${name}" is an executable for amd64`);
  });
});

describe("the bounds of an image", () => {
  const empty = (name: string): TarEntry => ({ name, mode: 0o644, body: "" });
  const read = async (entries: readonly TarEntry[], limits: ConstructorParameters<typeof ImageBounds>[0]) => {
    const { bytes, mediaType } = await layer(...entries);
    const blob = Readable.from([bytes]);
    return readLayer({ blob, mediaType, digest: digestOf(bytes) }, undefined, new ImageBounds(limits));
  };
  const open = { entries: 100, characters: 1000, bytes: 100_000 };

  it.each([
    ["files", { ...open, entries: 2 }, /more than 2 files/],
    ["characters of names", { ...open, characters: 5 }, /more than 5 characters of file names/],
    ["bytes unpacked", { ...open, bytes: 1000 }, /more than 1000 bytes unpacked/],
  ])("end the reading of too many %s, and name the bound", async (_case, limits, said) => {
    const entries = [empty("aa"), empty("bb"), empty("cc")];
    await expect(read(entries, limits)).rejects.toThrow(said);
    await expect(read(entries, open)).resolves.toMatchObject({ entries: { length: 3 } });
  });

  it("hold for all layers of it together", async () => {
    const bounds = new ImageBounds({ ...open, entries: 3 });
    const two = async () => {
      const { bytes, mediaType } = await layer(empty("a"), empty("b"));
      return readLayer({ blob: Readable.from([bytes]), mediaType, digest: digestOf(bytes) }, undefined, bounds);
    };
    await two();
    await expect(two()).rejects.toThrow(/more than 3 files/);
  });

  it("end names that stand for too many folders", async () => {
    const deep = Array.from({ length: 600 }, (_, index) => empty(`${index}/${"a/".repeat(1900)}x`));
    expect(await refusal(check([await layer(...deep)]))).toContain("more than 1000000 folders");
  });

  it("end an archive that unpacks to a million times what it is", async () => {
    const zeros = (function* () {
      const piece = Buffer.alloc(1024 * 1024);
      for (let count = 0; count < 64; count++) yield piece;
    })();
    const bomb = Readable.from(zeros).pipe(createGzip({ level: 1 }));
    const packed = Buffer.concat((await bomb.toArray()) as Buffer[]);
    const own = { blob: Readable.from([packed]), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" };
    const bounds = new ImageBounds({ ...open, bytes: 8 * 1024 * 1024 });
    await expect(readLayer({ ...own, digest: digestOf(packed) }, undefined, bounds)).rejects.toThrow(/bytes unpacked/);
  });
});
