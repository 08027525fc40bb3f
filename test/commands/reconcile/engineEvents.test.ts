import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineEventReader } from "../../../commands/reconcile/engineEvents";
import { Progress } from "../../../commands/reconcile/progress";

const urn =
  "urn:pulumi:prod::multiarch-mirror::multiarch-mirror:index:MirroredApp$docker-build:index:Image::esbuild-1.0.0-linux-amd64";
const image = (kind: string, timestamp: number, op = "create", type = "docker-build:index:Image") =>
  JSON.stringify({ sequence: 1, timestamp, [kind]: { metadata: { op, urn, type, provider: "" } } });
const message = (text: string, extra = {}) =>
  JSON.stringify({
    sequence: 2,
    timestamp: 5,
    diagnosticEvent: { urn, severity: "error", color: "raw", message: text, ...extra },
  });

describe("Pulumi's event log", () => {
  it("is understood line by line, whatever pieces it comes in", () => {
    const log = [
      image("resourcePreEvent", 10),
      message("<{%fg 1%}>bad<{%reset%}>\n"),
      image("resOutputsEvent", 52),
      "",
    ].join("\n");
    const whole = new EngineEventReader().read(log);
    expect(whole).toEqual([
      {
        kind: "begun",
        operation: "create",
        type: "docker-build:index:Image",
        name: "esbuild-1.0.0-linux-amd64",
        at: 10,
      },
      {
        kind: "message",
        severity: "error",
        text: "bad",
        type: "docker-build:index:Image",
        name: "esbuild-1.0.0-linux-amd64",
      },
      {
        kind: "done",
        operation: "create",
        type: "docker-build:index:Image",
        name: "esbuild-1.0.0-linux-amd64",
        at: 52,
      },
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: log.length }), { maxLength: 20 }), (places) => {
        const cuts = [0, ...places.toSorted((left, right) => left - right), log.length];
        const reader = new EngineEventReader();
        expect(cuts.slice(1).flatMap((end, position) => reader.read(log.slice(cuts[position], end)))).toEqual(whole);
      }),
    );
  });

  it.each(["", "{", "null", "[]", '{"timestamp":"now"}', '{"timestamp":1}', '{"timestamp":1,"resourcePreEvent":{}}'])(
    "may hold a line %j that is not understood",
    (line) => {
      expect(new EngineEventReader().read(`${line}\n${message("x")}\n`)).toHaveLength(1);
    },
  );

  it("has passing messages, which are what a build prints", () => {
    const [line] = new EngineEventReader().read(`${message("#1 building\n", { ephemeral: true })}\n`);
    expect(line).toEqual({
      kind: "output",
      text: "#1 building",
      type: "docker-build:index:Image",
      name: "esbuild-1.0.0-linux-amd64",
    });
  });
});

describe("the progress of a run", () => {
  const after = (...lines: readonly string[]): Progress => {
    const progress = new Progress();
    new EngineEventReader().read(`${lines.join("\n")}\n`).forEach((event) => progress.observe(event));
    return progress;
  };

  /** The failed step of a build that printed so. */
  const logged = (...texts: readonly string[]) =>
    after(
      image("resourcePreEvent", 10),
      ...texts.map((text) => message(`${text}\n`, { ephemeral: true })),
      image("resOpFailedEvent", 15),
    ).build("esbuild-1.0.0-linux-amd64")?.failedStep;

  it("knows how long a build took", () => {
    const progress = after(image("resourcePreEvent", 10), image("resOutputsEvent", 52));
    expect(progress.build("esbuild-1.0.0-linux-amd64")).toEqual({ state: "built", seconds: 42 });
    expect(progress.changes).toBe(1);
  });

  it("knows what BuildKit said of a build that failed", () => {
    const said = message('buildx:\nfailed to solve: process "/make" did not complete successfully: exit code: 2\n\n');
    const texts = [
      ...["#2 [1/2] FROM scratch", "#2 CACHED", "#3 [2/2] RUN make"],
      ...Array.from({ length: 70 }, (_, line) => `#3 ${line}.5 line ${line}`),
      ...["#4 [internal] other", "#4 99.0 of another step", "#3 ERROR: process did not complete", "#4 ERROR: canceled"],
    ];
    const printed = texts.map((text) => message(`${text}\n`, { ephemeral: true }));
    const progress = after(image("resourcePreEvent", 10), ...printed, image("resOpFailedEvent", 15), said);
    const { failure, failedStep } = progress.build("esbuild-1.0.0-linux-amd64")!;
    expect(failure).toBe('failed to solve: process "/make" did not complete successfully: exit code: 2');
    expect(failedStep).toEqual({
      name: "[2/2] RUN make",
      lines: [...Array.from({ length: 19 }, (_, line) => `line ${line + 51}`), "ERROR: process did not complete"],
    });
  });

  it("knows why a tag could not be written, in the words of the registry", () => {
    const said = `creating: publish sha256:0 to r.io/tiny:1.0.0: failed commit on ref "index-sha256:0": unexpected status from PUT request to https://r.io/v2/tiny/manifests/1.0.0: 403 Forbidden`;
    const ofIndex = {
      urn: "urn:pulumi:prod::p::multiarch-mirror:index:MirroredApp$docker-build:index:Index::tiny-1.0.0",
    };
    expect(after(message(`${said}\n`, ofIndex)).refusal("tiny-1.0.0")).toBe(
      "unexpected status from PUT request to https://r.io/v2/tiny/manifests/1.0.0: 403 Forbidden",
    );
    expect(after().refusal("tiny-1.0.0")).toBeUndefined();
  });

  it("knows why a version could not be attested, in the last line of the command", () => {
    const said = `exit status 1: running "attest":\nr.io/tiny@sha256:0 is not fully attested:\nr.io/other is not fully attested: 503`;
    const ofCommand = {
      urn: "urn:pulumi:prod::p::multiarch-mirror:index:Attestation$command:local:Command::tiny-1.0.0-attestation",
    };
    expect(after(message(`${said}\n`, ofCommand)).refusal("tiny-1.0.0-attestation")).toBe(
      "r.io/other is not fully attested: 503",
    );
  });

  it("shows what a build printed as a terminal would, without colours", () => {
    const texts = [
      "#3 [2/2] RUN make",
      "#3 0.1 \u001b[31mred\u001b[0m\tcc -o",
      "#3 0.2 10 %\r20 %\rdone\r",
      "#3 0.3",
      "#3 ERROR: no",
    ];
    const printed = texts.map((text) => message(`${text}\n`, { ephemeral: true }));
    const progress = after(image("resourcePreEvent", 10), ...printed, image("resOpFailedEvent", 15));
    expect(progress.build("esbuild-1.0.0-linux-amd64")?.failedStep?.lines).toEqual([
      "red    cc -o",
      "done",
      "ERROR: no",
    ]);
  });

  it("says of a build that ended with the run that it was stopped, and does not repeat it", () => {
    const progress = after(image("resourcePreEvent", 10), image("resOpFailedEvent", 15), message("context canceled\n"));
    expect(progress.build("esbuild-1.0.0-linux-amd64")?.failure).toBe("it was stopped");
    expect(progress.errors).toEqual([]);
  });

  it("takes no step that ended for the one that failed, and one that did not for it where none says so", () => {
    const fetched = ["#1 [internal] load git source", "#1 0.1 From elsewhere", "#1 DONE 0.8s"];
    expect(logged(...fetched)).toBeUndefined();
    // What follows may never have come: fetching upstream is not what fails then.
    expect(logged(...fetched.slice(0, 2))).toBeUndefined();
    expect(logged(...fetched, "#2 [2/2] RUN make", "#2 0.2 main.c:4\tcut o")).toEqual({
      name: "[2/2] RUN make",
      lines: ["main.c:4    cut o"],
    });
  });

  it("takes no cache that is not there yet for what failed, and names a step that is none of the Dockerfile", () => {
    const importing = [
      "#2 importing cache manifest from r.io/cache:linux-arm64",
      "#2 ERROR: r.io/cache:linux-arm64: not found",
    ];
    const fetching = ["#3 [2/2] ADD https://example.org/file /file", "#3 ERROR: invalid response status 404"];
    expect(logged(...importing, ...fetching)).toEqual({
      name: "[2/2] ADD https://example.org/file /file",
      lines: ["ERROR: invalid response status 404"],
    });
    expect(logged(...importing)).toBeUndefined();
    expect(logged(...importing, "#4 exporting to image", "#4 exporting layers done", "#4 ERROR: denied")).toEqual({
      name: "exporting to image",
      lines: ["exporting layers done", "ERROR: denied"],
    });
  });

  it("knows what failed, what never ended and what was not begun", () => {
    const begun = image("resourcePreEvent", 10);
    expect(after(begun, image("resOpFailedEvent", 15)).build("esbuild-1.0.0-linux-amd64")?.state).toBe("failed");
    expect(after(begun).build("esbuild-1.0.0-linux-amd64")?.state).toBe("building");
    expect(after(begun).build("esbuild-1.0.0-linux-arm64")).toBeUndefined();
  });

  it.each([
    ["same", "docker-build:index:Image"],
    ["refresh", "docker-build:index:Image"],
    ["create", "multiarch-mirror:index:MirroredApp"],
    ["create", "pulumi:pulumi:Stack"],
  ])("takes %s of %s for no work", (operation, type) => {
    expect(after(image("resourcePreEvent", 10, operation, type)).changes).toBe(0);
  });
});
