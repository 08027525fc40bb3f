import { describe, expect, it } from "vitest";
import { PulumiDigest } from "../../../tools/sandbox/pulumiDigest";

function digest(...lines: readonly string[]): readonly string[] {
  const digest = new PulumiDigest();
  return lines.map((line) => digest.line(line)).filter((line) => line !== undefined);
}

describe("what is shown of the CLI's output", () => {
  it("is the beginning and the end of each resource, once", () => {
    const row = " +  docker-build:index:Image app-1.0.0-linux-arm64";
    const shown = digest(
      "@ updating.....",
      `${row} creating (0s) `,
      `${row} creating (0s) #0 building with "mirror" instance`,
      `${row} creating (0s) `,
      `${row} creating (2s) #1 DONE 1.1s`,
      `${row} created (5s) #4 resolving provenance for metadata file`,
      `${row} created (5s) `,
    );
    expect(shown).toEqual([
      "  Image app-1.0.0-linux-arm64 creating (0s)",
      "  Image app-1.0.0-linux-arm64 created (5s)",
    ]);
  });

  it("is what a preview would create, and nothing about refreshing or components", () => {
    const shown = digest(
      " ~  docker-build:index:Index app-1.0.0 refreshing ",
      " ~  docker-build:index:Index app-1.0.0 refresh ",
      " +  multiarch-mirror:index:MirroredApp app create ",
      " +  docker-build:index:Index app-latest create ",
      "    docker-build:index:Index app-1.0.0  ",
    );
    expect(shown).toEqual(["  Index app-latest create"]);
  });

  it("is every failure", () => {
    expect(digest(" +  docker-build:index:Image app-1 **creating failed** error: exit code 1")).toHaveLength(1);
  });

  it("is everything that is no progress display, except where plugins were found", () => {
    const kept = [
      "Diagnostics:",
      "    app (localhost:1/mirror/app)",
      "  error: something",
      "Resources:",
      "    + 21 to create",
      "",
    ];
    const noise = "    warning: using pulumi-resource-github from $PATH at /x/pulumi-resource-github";
    expect(digest(...kept, noise)).toEqual(kept);
  });
});
