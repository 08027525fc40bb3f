import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { outputOf } from "../../components/system/process";

const named = /(?:^|\/)(?:Dockerfile|Containerfile)[^/]*$|[^/]\.(?:Dockerfile|dockerfile)$/;
/** Templates and programs that make Dockerfiles bear such names too, and cost nothing: BuildKit refuses them. */
const largestFile = 1024 * 1024;

/** Texts of the Dockerfiles in a folder, links left alone, or at the head of a bare git repository. Each text once. */
export async function collectDockerfiles(folders: readonly string[]): Promise<readonly string[]> {
  const texts = new Set<string>();
  for (const folder of folders)
    for (const text of existsSync(path.join(folder, "objects")) ? await inRepository(folder) : inFolder(folder))
      texts.add(text);
  return [...texts];
}

function inFolder(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    return entry.isFile() && named.test(entry.name) && statSync(file).size <= largestFile
      ? [readFileSync(file, "utf8")]
      : [];
  });
}

async function inRepository(folder: string): Promise<readonly string[]> {
  const git = (argv: readonly string[], input = ""): Promise<string> =>
    outputOf("git", [`--git-dir=${folder}`, ...argv], { limitMs: 600_000, input, encoding: "latin1" });
  const listed = (await git(["ls-tree", "-r", "-z", "HEAD"])).split("\0");
  const blobs = listed.flatMap((line) => {
    const [, blob, file = ""] = /^100(?:644|755) blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return blob !== undefined && named.test(file) ? [blob] : [];
  });
  const output = await git(["cat-file", "--batch"], blobs.map((blob) => `${blob}\n`).join(""));
  const texts: string[] = [];
  for (let position = 0; position < output.length;) {
    const end = output.indexOf("\n", position);
    const size = / blob (\d+)$/.exec(output.slice(position, end))?.[1];
    position = end + 1;
    // A snapshot may lack its largest files.
    if (size === undefined) continue;
    texts.push(Buffer.from(output.slice(position, position + Number(size)), "latin1").toString("utf8"));
    position += Number(size) + 1;
  }
  return texts;
}
