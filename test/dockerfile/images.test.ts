import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DockerfileOptions, readDockerfileImages } from "../../components/dockerfile/images";
import { DockerfileError } from "../../components/dockerfile/dockerfileError";

function read(text: string, options: Partial<DockerfileOptions> = {}) {
  return readDockerfileImages({
    path: "Dockerfile",
    text,
    buildArguments: {},
    targetPlatform: "linux/arm64",
    buildPlatform: "linux/amd64",
    ...options,
  });
}

function images(text: string, options: Partial<DockerfileOptions> = {}): readonly string[] {
  return read(text, options).references.map(({ reference }) => reference);
}

const digest = `sha256:${"a".repeat(64)}`;

// The expected images of this table are what BuildKit 0.31 itself asked its resolver for.
const asBuildKit: readonly (readonly [behaviour: string, text: string, images: readonly string[]])[] = [
  ["a single FROM", "FROM python:3.8\nCMD gunicorn", ["python:3.8"]],
  ["lower-case keywords and a byte order mark", "\ufefffrom python:3.8", ["python:3.8"]],
  ["an ARG default", "ARG BASE=node:22\nFROM ${BASE}-slim", ["node:22-slim"]],
  ["an ARG made of another", "ARG V=22\nARG I=node:$V\nFROM $I", ["node:22"]],
  ["a quoted ARG", 'ARG I="node:22"\nFROM $I', ["node:22"]],
  ["several ARGs on one line", "ARG I=node V='22'\nFROM $I:$V", ["node:22"]],
  ["an escaped dollar sign in an ARG", "ARG A=x\nARG B=\\$A\nFROM y${B#?}", ["yA"]],
  ["a fallback", "FROM ${X:-alpine}", ["alpine"]],
  ["a fallback that is a variable", "ARG D=alpine\nFROM ${X:-${D}}", ["alpine"]],
  ["a fallback for an empty ARG with colon only", "ARG X=\nFROM a${X:-b}${X-c}", ["ab"]],
  ["an alternative", "ARG X=1\nFROM alpine${X:+:edge}", ["alpine:edge"]],
  ["no alternative without a value", "FROM alpine${X:+:edge}", ["alpine"]],
  ["the shortest prefix removed", "ARG X=aXbXc\nFROM n${X#*X}", ["nbXc"]],
  ["the longest prefix removed", "ARG X=aXbXc\nFROM n${X##*X}", ["nc"]],
  ["the shortest suffix removed", "ARG X=3.4.5\nFROM n:${X%.*}", ["n:3.4"]],
  ["the longest suffix removed", "ARG X=3.4.5\nFROM n:${X%%.*}", ["n:3"]],
  ["one replacement", "ARG X=3.4.5\nFROM n:${X/./-}", ["n:3-4.5"]],
  ["all replacements", "ARG X=3.4.5\nFROM n:${X//./-}", ["n:3-4-5"]],
  ["platform variables", "FROM n:$TARGETOS-${TARGETARCH}${TARGETVARIANT}", ["n:linux-arm64"]],
  ["the target stage's name", "FROM n:${TARGETSTAGE} AS Out", ["n:out"]],
  ["ARGs after the first FROM are not used", "ARG X=a\nFROM $X AS s\nARG X=b\nFROM $X\nCOPY --from=s / /", ["a", "a"]],
  ["a continued FROM with a comment inside", "FROM \\\n# not this\n\n  alpine \\\n  AS x", ["alpine"]],
  ["another escape character", "# escape=`\nFROM `\n  alpine", ["alpine"]],
  ["an escape directive after a comment is a comment", "# c\n# escape=`\nFROM \\\n  alpine", ["alpine"]],
  ["Windows line ends", "FROM alpine AS a\r\nFROM b\r\nCOPY --from=a / /\r\n", ["alpine", "b"]],
  ["FROM within a here-document is text", "FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY --from=c / /", ["a", "c"]],
  ["two here-documents in turn", "FROM a\nCOPY <<A <<B /d/\nFROM b\nA\nFROM c\nB\nCOPY --from=d / /", ["a", "d"]],
  ["an indented here-document", "FROM a\nRUN <<-X\n\tFROM b\n\tX\nCOPY --from=d / /", ["a", "d"]],
  ["a here-document with blanks in its name", 'FROM a\nRUN cat <<"E F"\nFROM b\nE F\nCOPY --from=d / /', ["a", "d"]],
  ["<< inside quotes is no here-document", "FROM a\nRUN echo 'a <<EOF'\nCOPY --from=d / /", ["a", "d"]],
  ["<< in the JSON form is no here-document", 'FROM a\nRUN ["x","<<EOF"]\nCOPY --from=d / /', ["a", "d"]],
  ["a shift is no here-document", "FROM a\nRUN echo $((1<<2))\nCOPY --from=d / /", ["a", "d"]],
  ["stages that nothing needs are left out", "FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=y / /", ["b", "c"]],
  ["a stage by number", "FROM a\nFROM b\nCOPY --from=0 / /", ["a", "b"]],
  ["a stage in another case", "FROM a AS Build\nFROM b\nCOPY --from=BUILD / /", ["a", "b"]],
  ["a stage on a stage", "FROM a AS x\nFROM x AS y\nFROM y", ["a"]],
  ["a stage named as its own image", "FROM node AS node\nFROM node", ["node"]],
  ["scratch", "FROM a AS x\nFROM scratch\nCOPY --from=x / /", ["a"]],
  ["an image to copy from", "FROM scratch\nCOPY --chown=1 --from=busybox:1 /bin/sh /sh", ["busybox:1"]],
  [
    "an image to mount",
    "FROM a\nRUN --mount=type=bind,from=b:1,target=/x --mount=type=cache,target=/c ls",
    ["a", "b:1"],
  ],
  ["a mount with quoted fields", 'FROM a\nRUN --mount="from=b","target=/x" ls', ["a", "b"]],
  ["a mount of a stage", "FROM a AS s\nFROM b\nRUN --mount=from=s,target=/x ls", ["a", "b"]],
  ["a trigger of the base stage", "FROM a AS s\nONBUILD COPY --from=o / /\nFROM s", ["a", "o"]],
  ["a trigger that nobody may pull", "FROM a\nONBUILD COPY --from=$X / /\nFROM b", ["b"]],
  ["a platform that is not said", "FROM --platform= a", ["a"]],
  ["a star replaced everywhere", "ARG X=abc\nFROM a:${X//*/x}", ["a:x"]],
  ["a trigger of a stage nobody builds on", "FROM a\nONBUILD COPY --from=o / /", ["a"]],
  [
    "a here-document after a substitution only shells know",
    "FROM a\nRUN x=${V:=y}${V:0:8} cat <<EOF\nFROM b\nEOF\nCOPY --from=c / /",
    ["a", "c"],
  ],
  ["none where a substitution ends the word", "FROM a\nRUN cat <<EOF${V:-x}\nCOPY --from=c / /", ["a", "c"]],
  ["none within quotes that hold a substitution", 'FROM a\nRUN cat <<EOF"${V:-x}"\nCOPY --from=c / /', ["a", "c"]],
  ["none after an operator BuildKit does not know", "FROM a\nRUN x=${V^} cat <<EOF\nCOPY --from=c / /", ["a", "c"]],
  [
    "one after what only looks like the JSON form",
    'FROM a\nRUN ["\\uZZ"] <<E\nFROM b\nE\nCOPY --from=c / /',
    ["a", "c"],
  ],
  ["a quoted mount in a trigger", 'FROM a AS s\nONBUILD RUN --mount="type=bind,from=o" x\nFROM s', ["a", "o"]],
  ["a whole pinned reference", `FROM ubuntu:noble@${digest}`, [`ubuntu:noble@${digest}`]],
];

describe("reading the images of a Dockerfile", () => {
  it.each(asBuildKit)("finds what BuildKit pulls: %s", (_behaviour, text, expected) => {
    expect(images(text)).toEqual(expected);
  });

  it("lets a given build argument win over the default, and over a platform variable", () => {
    const text = "ARG BASE=upstream/base\nFROM $BASE:$TARGETARCH";
    expect(images(text, { buildArguments: { BASE: "ours", TARGETARCH: "x" } })).toEqual(["ours:x"]);
  });

  it("ignores a build argument that no ARG declares", () => {
    expect(images("FROM alpine$X", { buildArguments: { X: "-other" } })).toEqual(["alpine"]);
  });

  it.each([
    ["on the first line", "# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1"],
    ["after a shebang", "#!/usr/bin/env x\n# syntax=docker/dockerfile:1\nFROM a", "docker/dockerfile:1"],
    ["after other directives", "# check=skip=all\n#syntax = a/b:1  with words\nFROM a", "a/b:1"],
    ["after a comment, where it is one too", "# c\n# syntax=a/b:1\nFROM a", undefined],
    ["after blanks, where it is a comment", " # syntax=a/b:1\nFROM a", undefined],
  ])("finds the frontend's image %s", (_case, text, syntax) => {
    expect(read(text).syntax).toBe(syntax);
  });

  it("names a replaced stage only where the target needs it", () => {
    const text = "FROM a AS base\nFROM b AS left\nFROM base AS last";
    expect(read(text, { contexts: ["base", "left"] }).replacedStages).toEqual(["base"]);
  });

  it("follows only what the target stage needs", () => {
    const text = "FROM a AS build\nFROM b AS test\nFROM c";
    expect(images(text, { target: "Build" })).toEqual(["a"]);
  });

  it("tells for each image the line, the stage, the use and the platform", () => {
    const text = [
      "# syntax=docker/dockerfile:1",
      "ARG GO=1.25",
      "FROM --platform=$BUILDPLATFORM golang:$GO AS build",
      "RUN --mount=type=bind,from=tools:2,target=/t make",
      "FROM --platform=linux/s390x helper AS helper",
      "FROM gcr.io/distroless/static",
      "COPY --from=build /out /",
      "COPY --from=helper /out /",
    ].join("\n");
    const common = { unset: [], isFinalBase: false, runs: false };
    expect(read(text)).toEqual({
      syntax: "docker/dockerfile:1",
      stages: ["build", "helper"],
      triggered: [],
      replacedStages: [],
      undeclared: [],
      references: [
        { ...common, reference: "golang:1.25", line: 3, stage: "build", usedBy: "from", platform: "build", runs: true },
        { ...common, reference: "tools:2", line: 4, stage: "build", usedBy: "mount", platform: "target" },
        { ...common, reference: "helper", line: 5, stage: "helper", usedBy: "from", platform: "linux/s390x" },
        {
          ...common,
          reference: "gcr.io/distroless/static",
          line: 6,
          stage: "2",
          usedBy: "from",
          platform: "target",
          isFinalBase: true,
        },
      ],
    });
  });

  it.each([
    ["linux/$TARGETARCH", "linux/arm/v7", "target"],
    ["linux/${TARGETARCH}${TARGETVARIANT:+/}$TARGETVARIANT", "linux/arm/v7", "target"],
    ["linux/arm64/v8", "linux/arm64", "target"],
    ["linux/aarch64", "linux/arm64", "target"],
    ["Linux/AMD64", "linux/amd64", "target"],
    ["amd64", "linux/arm64", "linux/amd64"],
    ["$TARGETARCH", "linux/arm64", "target"],
    ["linux/arm/7", "linux/arm64", "linux/arm/v7"],
    ["linux", "linux/arm64", "build"],
    ["linux/$BUILDARCH", "linux/arm64", "build"],
  ] as const)("reads --platform=%s as BuildKit does, for %s", (written, targetPlatform, platform) => {
    expect(read(`FROM --platform=${written} a`, { targetPlatform }).references).toMatchObject([{ platform }]);
  });

  it("takes the image at the bottom of the target's chain of stages for the final base", () => {
    const { references } = read("FROM a AS base\nFROM b AS tool\nFROM base\nCOPY --from=tool / /");
    expect(references.filter(({ isFinalBase }) => isFinalBase).map(({ reference }) => reference)).toEqual(["a"]);
  });

  it("counts the first line of a continued instruction and the lines of here-documents", () => {
    const { references } = read("\n# c\nFROM \\\n  a\nRUN <<E\n1\n2\nE\nCOPY --from=b \\\n / /");
    expect(references.map(({ line }) => line)).toEqual([3, 9]);
  });

  it("names the build arguments that no ARG declares and BuildKit does not know", () => {
    const text = 'ARG BASE=a PLAIN\nFROM $BASE\nARG "Q"=1 \\\n  NEXT\nONBUILD ARG LATER\nRUN echo ARG NOT';
    const names = ["BASE", "PLAIN", "NEXT", "LATER", "NOT", "base", "TARGETARCH", "HTTPS_PROXY", "no_proxy"];
    const buildArguments = Object.fromEntries(
      [...names, "BUILDKIT_SYNTAX", "SOURCE_DATE_EPOCH"].map((name) => [name, "a"]),
    );
    expect(read(text, { buildArguments }).undeclared).toEqual(["NOT", "base"]);
  });

  it("leaves out the base of a stage that a named context replaces", () => {
    const text = "FROM outside AS base\nFROM node\nCOPY --from=base / /";
    expect(read(text, { contexts: ["base"] })).toMatchObject({
      references: [{ reference: "node" }],
      replacedStages: ["base"],
    });
  });

  it("names the variables of a reference that had no value", () => {
    expect(read("FROM ${REGISTRY}alpine").references).toMatchObject([{ reference: "alpine", unset: ["REGISTRY"] }]);
  });

  it.each([
    ["a blank image", "\nFROM ${NOTHING}", 2, '"NOTHING"'],
    ["a demanded variable", "FROM ${X:?give-it}", 1, '"give-it"'],
    ["an unclosed substitution", "ARG A=1\nFROM ${A", 2, "cannot expand"],
    ["an unknown operator", "FROM ${A:=x}", 1, "not known"],
    ["an unclosed quote", "FROM 'a", 1, "single quote"],
    ["an invalid pattern", "ARG A=x\nFROM ${A#\\q}", 2, "invalid escape"],
    ["FROM with two words", "FROM a b", 1, "malformed"],
    ["FROM without a word", "FROM", 1, "malformed"],
    ["a stage name with a slash", "FROM a AS b/c", 1, "not a stage name"],
    ["an unknown instruction", "FROM a\nFROBNICATE it", 2, '"FROBNICATE" is no instruction'],
    ["no FROM", "ARG A\nARG B", 2, "no FROM"],
    ["nothing at all", "", 1, "no FROM"],
    ["an instruction before FROM", "RUN ls\nFROM a", 1, "only ARG"],
    ["an endless here-document", "FROM a\nRUN <<EOF\nls", 2, "has no end"],
    ["a directive given twice", "# escape=`\n# escape=`\nFROM a", 2, "twice"],
    ["an unknown escape character", "# escape=x\nFROM a", 1, "not accepted"],
    ["a variable in COPY --from", "FROM a\nCOPY --from=$X / /", 2, "cannot hold variables"],
    ["a variable in a mount", "FROM a\nRUN --mount=from=$X,target=/ ls", 2, "cannot hold variables"],
    ["a stage number out of range", "FROM a\nCOPY --from=7 / /", 1, "no stage number 7"],
    ["a platform that is none", "FROM --platform=linux/${X} a", 1, "not a platform"],
    ["a line beyond BuildKit's limit", `FROM a\nRUN ${"x".repeat(70_000)}`, 2, "longer than"],
  ])("refuses %s, naming file and line", (_case, text, line, problem) => {
    const failure = catchError(() => read(text));
    expect(failure).toBeInstanceOf(DockerfileError);
    expect(failure).toMatchObject({ path: "Dockerfile", line });
    expect((failure as Error).message).toContain(problem);
    expect((failure as Error).message).toContain(`"Dockerfile" line ${line}: `);
  });

  const doubled = ["ARG A=aaaaaaaaaaaaaaaa", ...Array.from({ length: 40 }, () => "ARG A=$A$A"), "FROM x:$A"].join("\n");
  const value = "a".repeat(60_000);
  const nested = `${"${A:-".repeat(60)}x${"}".repeat(60)}`;
  it.each([
    ["values that double with each line", doubled, "the expansion of variables takes more than"],
    ["a pattern tried at each place", `ARG A=${value}\nFROM \${A//a*a*a*b/x}`, "takes more than"],
    ["a long pattern that is trimmed", `ARG A=${value}\nFROM \${A##${"?*".repeat(900)}b}`, "takes more than"],
    ["many long values", `ARG A=${value}\n${"ARG B=$A\n".repeat(100)}FROM x`, "takes more than"],
    ["substitutions within substitutions", `FROM ${nested}`, "more than 50 deep"],
    ["substitutions that would hide a here-document", `FROM a\nRUN ${nested} <<E\nFROM b\nE`, "more than 50 deep"],
    ["a thousand stages", "FROM a\n".repeat(1000), "more than 500 stages"],
    [
      "images without an end",
      ["FROM a", ...Array.from({ length: 300 }, (_, index) => `COPY --from=i${index} / /`)].join("\n"),
      "more than 200 images",
    ],
  ])("refuses %s in words", (_case, text, problem) => {
    const failure = catchError(() => read(text));
    expect(failure).toBeInstanceOf(DockerfileError);
    expect((failure as Error).message).toContain(problem);
    expect((failure as Error).message.length).toBeLessThan(1000);
  });

  it.each([
    ["a directive", `# escape=\`${" ".repeat(65_000)}x\nFROM a`],
    ["a directive without a value", `# syntax=${" ".repeat(65_000)}\nFROM a`],
    ["an instruction", `FROM a\n${`RUN x${" ".repeat(65_000)}y\n`.repeat(14)}`],
    ["line ends", `FROM a\n${`RUN x${"\r".repeat(65_000)}y\n`.repeat(14)}`],
  ])("takes no longer for blanks within %s than for other text", (_case, text) => {
    const blank = spent(() => catchError(() => read(text)));
    const plain = spent(() => catchError(() => read(text.replace(/[ \r]{1000,}/g, (run) => "x".repeat(run.length)))));
    // The square of such a line takes thousands of times as long.
    expect(blank).toBeLessThan(100 * plain + 100);
  });

  it("names the stages there are when the target is unknown", () => {
    expect(() => read("FROM a AS one", { target: "two" })).toThrow(/no stage "two".*\["one"\]/);
  });

  it("escapes hostile text in messages", () => {
    const failure = catchError(() => read("FROM a \u001b[31m::error::"));
    expect((failure as Error).message).not.toContain("\u001b");
  });

  it("ends in images or in a DockerfileError, whatever the text", () => {
    const piece = fc.constantFrom(
      "FROM ",
      "ARG ",
      "a",
      "A=",
      "${",
      "}",
      "$A",
      "\\",
      "\n",
      "<<",
      "E",
      "'",
      '"',
      "RUN ",
      "--from=",
      " ",
      "#",
      ":-",
      "//",
      "*",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const failure = catchError(() => read(pieces.join("")));
        expect(failure === undefined || failure instanceof DockerfileError).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the four applications' shapes", () => {
  it("reads Mattermost's older shape: one pinned stage", () => {
    const text = `FROM ubuntu:jammy-20230308@${digest}\n\nARG PUID=2000\nARG MM_PACKAGE="https://x/y.tar.gz?src=docker"\nRUN apt-get update \\\n  && curl -L $MM_PACKAGE | tar -xz\nENTRYPOINT ["/entrypoint.sh"]`;
    expect(read(text).references).toMatchObject([{ reference: `ubuntu:jammy-20230308@${digest}`, isFinalBase: true }]);
  });

  it("reads Mattermost's newer shape: pinned builder, distroless final stage", () => {
    const text = `FROM ubuntu:noble-20250415.1@${digest} AS builder\nRUN ls\nFROM gcr.io/distroless/base-debian12\nCOPY --from=builder --chown=2000:2000 /mattermost /mattermost\nCMD ["/mattermost/bin/mattermost"]`;
    expect(read(text).references).toMatchObject([
      { reference: `ubuntu:noble-20250415.1@${digest}`, stage: "builder", isFinalBase: false },
      { reference: "gcr.io/distroless/base-debian12", isFinalBase: true },
    ]);
  });

  it("reads Outline's image in both forms", () => {
    const body =
      "\nARG APP_PATH\nWORKDIR $APP_PATH\nFROM node:22-slim AS runner\nCOPY --from=base /opt/outline /opt/outline\n";
    const newer = `ARG APP_PATH=/opt/outline\nARG BASE_IMAGE=outlinewiki/outline-base\nFROM \${BASE_IMAGE} AS base${body}`;
    const older = `ARG APP_PATH=/opt/outline\nFROM outlinewiki/outline-base AS base${body}`;
    for (const text of [newer, older]) expect(images(text)).toEqual(["outlinewiki/outline-base", "node:22-slim"]);
  });
});

function catchError(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (failure) {
    return failure;
  }
}

/** Milliseconds of this process's own work, which other work on the machine does not lengthen. */
function spent(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  return process.cpuUsage(before).user / 1000;
}
