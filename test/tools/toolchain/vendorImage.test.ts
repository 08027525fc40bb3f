import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processIdentity } from "../../../components/system/lock";
import { ensureTools } from "../../../tools/toolchain/ensureTools";
import type { Folders } from "../../../tools/toolchain/folders";
import type { Tool } from "../../../tools/toolchain/tool";

/** In place of Docker's client: an engine that has one image with one program, and keeps a list of what it was asked. */
const client = `#!/bin/sh
echo "$*" >> "$FAKE_DOCKER_LOG"
case $1 in
  version) [ -z "$FAKE_DOCKER_GONE" ] ;;
  ps) echo "$FAKE_DOCKER_LEFT" ;;
  create) echo container-1 ;;
  cp) [ "$2" = container-1:/there ] && printf '#!/bin/sh\\necho %s\\n' "$FAKE_DOCKER_VERSION" > "$3" && chmod +x "$3" ;;
esac
`;

const image = "example.org/regctl:v1.2.3";
const tool: Tool = {
  name: "regctl",
  version: "1.2.3",
  question: { ask: "command", args: ["version"] },
  vendor: { by: "image", image, program: "/there" },
  source: { from: "go", module: "regctl", package: "example.org/regctl", variables: {} },
};

let root: string;
let folders: Folders;
const before = { ...process.env };

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "vendor-image-")));
  const within = (name: string): string => path.join(root, name);
  folders = {
    ...{ cache: within("cache"), bin: within("bin"), standIns: within("providers") },
    ...{ pulumi: within("pulumi"), modules: within("modules") },
  };
  await mkdir(path.join(folders.modules, "regctl"), { recursive: true });
  for (const file of ["go.mod", "go.sum"]) await writeFile(path.join(folders.modules, "regctl", file), "");
  await mkdir(path.join(root, "programs"));
  await writeFile(path.join(root, "programs", "docker"), client);
  await chmod(path.join(root, "programs", "docker"), 0o755);
  // No Go on it.
  process.env["PATH"] = `${path.join(root, "programs")}:/usr/bin:/bin`;
  process.env["FAKE_DOCKER_LOG"] = path.join(root, "docker.log");
  process.env["FAKE_DOCKER_VERSION"] = "v1.2.3";
});

afterEach(async () => {
  process.env = { ...before };
  await rm(root, { recursive: true, force: true });
});

const ensure = async () => ensureTools(["regctl"], { folders, searchPath: "", tools: [tool], progress: () => {} });
const asked = async (): Promise<readonly string[]> =>
  (await readFile(path.join(root, "docker.log"), "utf8").catch(() => "")).split("\n").filter(Boolean);

it("copies a program out of its vendor's image, says so, and leaves no container", async () => {
  const { programs, origins } = await ensure();
  expect(origins.get("regctl")).toBe(`copied from ${image}`);
  expect(await readFile(programs.get("regctl") ?? "", "utf8")).toContain("v1.2.3");
  expect((await asked()).at(-1)).toBe("rm --force container-1");
  const before = await asked();
  await ensure();
  expect(await asked()).toEqual(before);
});

it("builds when the image has another version, and does not ask for it again", async () => {
  process.env["FAKE_DOCKER_VERSION"] = "v1.2.2";
  await expect(ensure()).rejects.toThrow("regctl: not installed, and there is no Go to build it");
  const before = await asked();
  await expect(ensure()).rejects.toThrow("no Go");
  expect(await asked()).toEqual(before);
});

it("asks an engine that was not running before", async () => {
  process.env["FAKE_DOCKER_GONE"] = "yes";
  await expect(ensure()).rejects.toThrow("no Go");
  delete process.env["FAKE_DOCKER_GONE"];
  expect((await ensure()).origins.get("regctl")).toBe(`copied from ${image}`);
});

it("removes the container of a process that was killed as it copied, and of no other", async () => {
  const [boot = "", space = ""] = (processIdentity(process.pid) ?? "").split("-");
  process.env["FAKE_DOCKER_LEFT"] = [
    `killed ${boot}-${space}-999999999-1`,
    `copying ${processIdentity(process.pid)}`,
  ].join("\n");
  await ensure();
  const removed = (await asked()).filter((line) => line.startsWith("rm "));
  expect(removed).toEqual(["rm --force killed", "rm --force container-1"]);
});

it("leaves Docker alone where it may not be used", async () => {
  process.env["MIRROR_SANDBOX_DOCKER"] = "off";
  await expect(ensure()).rejects.toThrow("no Go");
  expect(await asked()).toEqual([]);
});
