import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Platform } from "../../../components/model/platform";
import { cacheFolder } from "../../../tools/sandbox/layout";
import { ensureTools } from "../../../tools/toolchain/ensureTools";
import { withLock } from "../../../components/system/lock";
import { placeWhole } from "../../../components/system/placeWhole";
import { outputOf } from "../../../components/system/process";
import { digest, type Layer } from "./layer";

const architectures: Readonly<Record<string, string>> = {
  "linux/amd64": "amd64",
  "linux/arm64": "arm64",
  "linux/ppc64le": "ppc64el",
};

/** Nothing a container needs, and much of the size. */
const leftOut = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];

/**
 * A layer of Debian packages and what they depend on, of any architecture. The packages are unpacked but not configured,
 * which needs no emulation and is what a stand-in for a base image can do with. Kept in the cache folder.
 * @throws Error with the end of mmdebstrap's messages.
 */
export async function debianLayer(platform: Platform, packages: readonly string[]): Promise<Layer> {
  const key = createHash("sha256")
    .update(JSON.stringify([platform, packages, leftOut, 1]))
    .digest("hex")
    .slice(0, 16);
  const file = join(cacheFolder(), "fixtures", "debian", `${key}.tar.gz`);
  await withLock(`${file}.making`, { what: file }, async () => {
    if (!existsSync(file)) await make(file, platform, packages);
  });
  return { bytes: await readFile(file), diffId: (await readFile(`${file}.diff-id`, "utf8")).trim() };
}

async function make(file: string, platform: Platform, packages: readonly string[]): Promise<void> {
  const { programs } = await ensureTools(["mmdebstrap"]);
  const options = [
    ...["--variant=extract", `--architectures=${architectures[platform]}`, `--include=${packages.join(",")}`],
    ...["--skip=output/dev", '--aptopt=Acquire::Languages "none"'],
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
  ];
  const source = "deb http://deb.debian.org/debian bookworm main";
  const mmdebstrap = programs.get("mmdebstrap") ?? "mmdebstrap";
  await placeWhole(file, async (draft) => {
    await outputOf(mmdebstrap, [...options, "--format=tar", "bookworm", draft, source], { limitMs: 30 * 60_000 });
    const bytes = await readFile(draft);
    await writeFile(`${file}.diff-id`, digest(bytes));
    await writeFile(draft, gzipSync(bytes, { level: 1 }));
  });
}
