import { chmod, mkdir, mkdtemp, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureTools } from "../../../tools/toolchain/ensureTools";
import type { Folders } from "../../../tools/toolchain/folders";
import type { Tool } from "../../../tools/toolchain/tool";

// A stand-in for the Go tool-chain: "builds" a script that tells the version it was linked with, and keeps count.
const fakeGo = `#!/bin/sh
echo "$PWD $*" >> "$FAKE_GO_LOG"
[ -z "$FAKE_GO_FAILS" ] || { echo "no space left" >&2; exit 1; }
while [ "$1" != -o ]; do
  case "$1" in *version=*) version="\${1##*version=}";; esac
  shift
done
printf '#!/bin/sh\\necho "Version: %s" \\necho run >> "%s"\\n' "$version" "$FAKE_GO_LOG.runs" > "$2"
chmod +x "$2"
`;

const registry: Tool = {
  name: "registry",
  version: "3.0.0",
  question: { ask: "command", args: ["--version"] },
  source: { from: "go", module: "registry", package: "example.org/registry", variables: { "main.version": "v3.0.0" } },
};

let root: string;
let folders: Folders;
const before = { ...process.env };

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ensure-tools-")));
  folders = {
    cache: path.join(root, "cache"),
    bin: path.join(root, "bin"),
    standIns: path.join(root, "providers"),
    pulumi: path.join(root, "pulumi"),
    modules: path.join(root, "modules"),
  };
  await mkdir(path.join(folders.modules, "registry"), { recursive: true });
  await writeFile(path.join(folders.modules, "registry", "go.mod"), "module a\n");
  await writeFile(path.join(folders.modules, "registry", "go.sum"), "one\n");
  await script("go/go", fakeGo);
  process.env["PATH"] = `${path.join(root, "go")}:${before["PATH"] ?? ""}`;
  process.env["FAKE_GO_LOG"] = path.join(root, "go.log");
  delete process.env["FAKE_GO_FAILS"];
});

afterEach(async () => {
  process.env = { ...before };
  await rm(root, { recursive: true, force: true });
});

async function script(name: string, text: string): Promise<string> {
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

async function ensure(tool: Tool = registry, searchPath = "") {
  const lines: string[] = [];
  const toolchain = await ensureTools([tool.name], {
    folders,
    searchPath,
    tools: [tool],
    progress: (line) => lines.push(line),
  });
  return { program: toolchain.programs.get(tool.name) ?? "", toolchain, lines };
}

async function count(name: string): Promise<number> {
  const text = await readFile(path.join(root, name), "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

describe("ensureTools", () => {
  it("builds what is not there, says so, and links it where PATH can point", async () => {
    const { program, toolchain, lines } = await ensure();
    expect(program.startsWith(path.join(folders.cache, "tools", "registry-3.0.0-"))).toBe(true);
    expect(lines[0]).toBe("building registry 3.0.0 …");
    expect(await readlink(path.join(toolchain.folder, "registry"))).toBe(program);
    expect(await readFile(path.join(root, "go.log"), "utf8")).toContain("-mod=readonly -buildvcs=false -trimpath");
  });

  it("neither builds nor runs anything the second time", async () => {
    await ensure();
    await ensure();
    expect(await count("go.log")).toBe(1);
    expect(await count("go.log.runs")).toBe(1);
  });

  it("builds once when two ask at the same time", async () => {
    const [left, right] = await Promise.all([ensure(), ensure()]);
    expect(left.program).toBe(right.program);
    expect(await count("go.log")).toBe(1);
  });

  it("builds anew when the pinned sources change", async () => {
    const first = await ensure();
    await writeFile(path.join(folders.modules, "registry", "go.sum"), "two\n");
    expect((await ensure()).program).not.toBe(first.program);
    expect(await count("go.log")).toBe(2);
  });

  it("replaces a program that does not run", async () => {
    const { program } = await ensure();
    await writeFile(program, "cut short");
    expect((await ensure()).program).toBe(program);
    expect(await count("go.log")).toBe(2);
  });

  it("takes what is on PATH in the right version", async () => {
    const there = await script("usr/registry", "#!/bin/sh\necho registry github.com/x v3.0.0+unknown\n");
    expect((await ensure(registry, path.dirname(there))).program).toBe(there);
    expect(await count("go.log")).toBe(0);
  });

  it("takes a newer one of the same major version, and says where each comes from", async () => {
    const there = await script("usr/registry", "#!/bin/sh\necho v3.10.0\n");
    const { toolchain } = await ensure(registry, path.dirname(there));
    expect(toolchain.origins.get("registry")).toBe(`this machine (${there})`);
    expect((await ensure()).toolchain.origins.get("registry")).toBe("built from source (tools/go/registry)");
  });

  it.each([
    ["an older version", "#!/bin/sh\necho v2.8.3\n"],
    ["another major version", "#!/bin/sh\necho v4.0.0\n"],
    ["a program that fails", "#!/bin/sh\necho v3.0.0\nexit 1\n"],
    ["no program at all", "hello"],
  ])("does not take %s from PATH", async (_, text) => {
    const there = await script("usr/registry", text);
    expect((await ensure(registry, path.dirname(there))).program).not.toBe(there);
  });

  it("does not take its own links for an installation", async () => {
    const { program } = await ensure();
    await writeFile(path.join(folders.modules, "registry", "go.sum"), "two\n");
    expect((await ensure(registry, folders.bin)).program).not.toBe(program);
  });

  it("tells the compiler's words and what to do when a build fails", async () => {
    process.env["FAKE_GO_FAILS"] = "yes";
    await expect(ensure()).rejects.toThrow(
      /^registry: .*: go build ended with status 1: no space left; check the network/,
    );
  });

  it("says that Go is missing", async () => {
    process.env["PATH"] = "/nowhere";
    await expect(ensure()).rejects.toThrow(
      "registry: not installed, and there is no Go to build it; install version 3.0.0",
    );
  });

  describe("with a vendor's installer", () => {
    const pulumi: Tool = {
      ...registry,
      name: "pulumi",
      vendor: { by: "npm", release: "3.0.0" },
      source: { ...registry.source, module: "registry" } as Tool["source"],
    };

    /** An npm that brings the program, or is offline; it keeps count. */
    async function npm(brings: string): Promise<void> {
      const bin = '"$PULUMI_HOME/versions/3.0.0/bin"';
      await script(
        "go/npm",
        `#!/bin/sh\necho "$*" >> "${root}/npm.log"\nmkdir -p ${bin}\n` +
          `printf '#!/bin/sh\\necho v3.0.0\\n' > ${bin}/pulumi\n${brings}\n`,
      );
    }

    it("takes what that brings, and builds nothing", async () => {
      await npm(`chmod +x "$PULUMI_HOME/versions/3.0.0/bin/pulumi"`);
      const { program, toolchain } = await ensure(pulumi);
      expect(program).toBe(path.join(folders.pulumi, "versions", "3.0.0", "bin", "pulumi"));
      expect(toolchain.origins.get("pulumi")).toBe("its vendor's installer");
      expect(await readFile(path.join(root, "npm.log"), "utf8")).toBe(
        "exec --yes --package=pulumi@3.0.0 -- pulumi version\n",
      );
      expect(await count("go.log")).toBe(0);
    });

    it("asks once, and builds, where there is no way to the vendor", async () => {
      await npm("exit 1");
      await ensure(pulumi);
      await rm(path.join(folders.cache, "tools"), { recursive: true });
      await ensure(pulumi);
      expect([await count("npm.log"), await count("go.log")]).toEqual([1, 2]);
    });
  });

  it("refuses a build that is not the version wanted", async () => {
    const wrong: Tool = { ...registry, version: "3.0.1" };
    await expect(ensure(wrong)).rejects.toThrow('does not run or is not version "3.0.1"');
  });
});
