import * as fc from "fast-check";

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** Mostly the first, so that BuildKit does not refuse nearly everything. */
const mostly = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, other);
const text = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(""));
/** An instruction of words, some of which may be empty, with one gap between them all. */
const line = (...parts: readonly fc.Arbitrary<string | readonly string[]>[]): fc.Arbitrary<string> =>
  fc.tuple(gap, ...parts).map(([between, ...all]) => all.flat().filter(Boolean).join(between));

const gap = pick(" ", " ", " ", "  ", "\t", " \\\n", " \\ \n  # between\n\n");
const image = pick(
  "alpine",
  "busybox:1",
  "golang:1.25",
  "b-c",
  "x_y",
  "quay.io/o/n",
  "localhost:5000/n:2",
  "a.b/c@sha256:" + "0".repeat(64),
);
const stage = pick("one", "two", "Three", "four.x", "final", "alpine");
const taken = fc.oneof({ weight: 4, arbitrary: stage }, image, pick("0", "0", "1", "+0"));

const name = pick("A", "B", "BASE", "TAG", "TARGETARCH", "TARGETOS", "BUILDARCH");
const reference = name.map((one) => `$${one}`);
const modifier = fc.oneof(
  text(pick(":-", ":+", "-", "+", ":=", "=", ":?", "?"), fc.oneof(image, reference, pick("", "a:b", "\\}", '"q"'))),
  text(pick("#", "##", "%", "%%"), pick("*", "?", "a*", "*:", "[a-c]", "b*n", "*-", "\\*", "$A", "")),
  text(pick("/", "//"), pick("a", "*", "b?", ":", "\\/"), pick("/"), pick("x", "", "-", "$B")),
);
const variable = fc.oneof(reference, text(pick("${"), name, pick("}")), text(pick("${"), name, modifier, pick("}")));
const odd = pick('"a b"', "'$A'", "\\$A", '"', "'", "${A", "$", "${}", "é", "`a`", "a\\ b", "$UNSET", "${A:0:2}", "");
const value = mostly(
  fc.oneof(
    image,
    variable,
    text(image, variable),
    text(pick('"'), fc.oneof(image, variable), pick('"')),
    text(pick("'"), image, pick("'")),
  ),
  fc.oneof(odd, text(image, odd), text(pick("\\"), image)),
);

const argument = line(
  pick("ARG", "ARG", "arg"),
  fc.array(fc.oneof({ weight: 4, arbitrary: text(name, pick("="), value) }, name), { minLength: 1, maxLength: 3 }),
);
const platform = mostly(
  pick(
    "",
    "",
    "",
    "--platform=$BUILDPLATFORM",
    "--platform=linux/amd64",
    "--platform=${TARGETPLATFORM}",
    "--platform=linux/$TARGETARCH",
    '--platform="$BUILDPLATFORM"',
  ),
  pick(
    "--platform=arm64",
    "--platform=linux",
    "--platform=linux/arm/v7",
    "--platform=aarch64",
    "--platform=Linux/AMD64",
    "--platform=",
    "--platform=${A}",
  ),
);
const from = line(
  pick("FROM", "FROM", "from", " FROM"),
  platform,
  fc.oneof(
    { weight: 3, arbitrary: image },
    stage,
    value,
    text(pick("alpine:"), variable),
    text(pick("${BASE:-"), image, pick("}")),
  ),
  fc.oneof(fc.constant([]), fc.tuple(pick("AS", "as", "aS"), stage)),
);

const copy = line(
  pick("COPY", "copy", "COPY"),
  mostly(
    text(pick("--from="), taken),
    fc.oneof(text(pick("--from="), value), text(pick('--from="'), taken, pick('"')), text(pick("--fr\\om="), taken)),
  ),
  pick("", "", "--chown=1", "--link"),
  pick("/a /b", '["/a", "/b"]', "/a /c /d/"),
);
const mount = text(
  pick(
    "--mount=type=bind,",
    "--mount=",
    '--mount="type=bind",',
    "--mount=target=/m,type=cache,",
    '--mount=type="bind",',
  ),
  pick("from=", "from=", "FROM=", "source=/x,from="),
  taken,
  pick("", ",target=/m", ",src=/", ",ro"),
);
const mounts = fc.array(text(mount, pick(",target=/t1", ",dst=/t2")), { maxLength: 3 });
const run = line(
  pick("RUN", "run"),
  mounts,
  pick("true", '["/x"]', "a <<< b", "echo '<<EOF'", 'x "<<EOF"', "a \\\\", "cat \\<\\<E", "$A # x"),
);
const trigger = text(pick("ONBUILD ", "onbuild  "), fc.oneof(copy, run, argument));

/** How a here-document is begun, and the line that ends it. */
const delimiter = pick(
  ...([
    ["EOF", "EOF"],
    ["E", "E"],
    ['"EOF"', "EOF"],
    ["'E F'", "E F"],
    ["-EOF", "\tEOF"],
    ["-E", "E"],
    ["E\\F", "EF"],
    ["${V:=x}", "${V:=x}"],
    ["$A", "$A"],
    ["-\tEOF", "EOF"],
  ] as const),
  ["EOF EOF", "EOF"],
  ['""', ""],
  ["EOF", "E"],
);
const body = pick(
  "FROM hidden",
  "COPY --from=hidden / /",
  "# comment",
  "\tEOF",
  "E F",
  "E",
  "EF",
  "x",
  "",
  "EOF \\",
  "<<EOF",
  "x \\",
);
const hereDocument = fc
  .tuple(
    pick(
      "RUN",
      "RUN cat",
      "RUN x=${V:=y} cat",
      "RUN echo ${V:0:8} && cat 3",
      "COPY",
      "ADD",
      "ONBUILD RUN",
      "RUN --mount=from=one,target=/m cat",
    ),
    delimiter,
    fc.oneof({ weight: 3, arbitrary: pick([" /to"], [" && x"]) }, pick([" <<B /to", "B"], [" \\\n more"])),
    fc.array(body, { maxLength: 3 }),
  )
  .map(([start, [begin, end], [more, second], lines]) =>
    [`${start} <<${begin}${more}`, ...lines, end, ...(second === undefined ? [] : [second])].join("\n"),
  );
const other = pick(
  "ENV A=b",
  "WORKDIR /x",
  "# FROM comment",
  "LABEL a=<<EOF",
  "",
  "  ",
  'CMD ["x"]',
  "ENTRYPOINT x",
  "USER 1",
  'SHELL ["x"]',
);
const command = fc.oneof(copy, run, trigger, hereDocument, argument, other);

const head = pick(
  "",
  "",
  "",
  "",
  "# syntax=docker/dockerfile:1\n",
  "# escape=`\n",
  "#escape = `\n",
  "# check=skip=all\n",
  "# comment\n",
  "#!/bin/x\n",
  "\ufeff# escape=`\n",
  "# ESCAPE=\\\n# x=y\n# escape=`\n",
  "\n# escape=`\n",
);
const dockerfile = fc
  .tuple(
    head,
    fc.array(argument, { maxLength: 4 }),
    fc.array(fc.tuple(from, fc.array(command, { maxLength: 3 })), { minLength: 1, maxLength: 4 }),
    pick("\n", "\n", "\n", "\r\n", "\n\n"),
  )
  .map(
    ([first, before, stages, end]) =>
      first + [...before, ...stages.flatMap(([base, commands]) => [base, ...commands]), ""].join(end),
  );

/** Dockerfiles made of what is easily read in another way than BuildKit does: quotes, expansions, continued lines, here-documents. */
export function generateDockerfiles(count: number, seed: number): readonly string[] {
  return fc.sample(dockerfile, { numRuns: count, seed });
}
