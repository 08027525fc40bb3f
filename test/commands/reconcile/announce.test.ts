import { describe, expect, it } from "vitest";
import { announce, Ticker } from "../../../commands/reconcile/announce";
import type { EngineEvent } from "../../../commands/reconcile/engineEvents";
import { Progress } from "../../../commands/reconcile/progress";
import { type Screen, standardScreen, Voice } from "../../../commands/reconcile/voice";

const image = "docker-build:index:Image";
const tag = "docker-build:index:Index";
const step = (
  kind: "begun" | "done" | "failed",
  type: string,
  name: string,
  at = 10,
  operation = "create",
): EngineEvent => ({
  ...{ kind, operation, type, name, at },
});
const app = step("done", "multiarch-mirror:index:MirroredApp", "hello-flask");
const output = (text: string): EngineEvent => ({
  kind: "output",
  text,
  type: image,
  name: "hello-flask-1.0.0-linux-arm64",
});
const error = (type: string, name: string, text: string): EngineEvent => ({
  kind: "message",
  severity: "error",
  type,
  name,
  text,
});

function told(
  events: readonly EngineEvent[],
  { json = false, ...screen }: Partial<Screen> & { json?: boolean } = {},
): string {
  let text = "";
  const voice = new Voice(json, "all", { write: (piece) => void (text += piece), colours: false, ...screen });
  const progress = new Progress();
  for (const event of events) {
    progress.observe(event);
    announce(event, progress, false, voice);
  }
  return text;
}

it("says of a build that was ended because of its time that it was", () => {
  const name = "hello-flask-1.0.0-linux-arm64";
  const text = told([
    app,
    step("begun", image, name, 10),
    error(image, name, "context deadline exceeded"),
    step("failed", image, name, 70),
  ]);
  expect(text).toContain("✗ FAILED hello-flask 1.0.0 linux/arm64: ended after 60 s, by buildLimit\n");
});

const failing = [
  app,
  step("begun", image, "hello-flask-1.0.0-linux-arm64"),
  output("#3 [2/2] RUN make"),
  output("#3 0.1 boom"),
  output("#3 ERROR: exit code: 2"),
  error(image, "hello-flask-1.0.0-linux-arm64", "buildx:\nfailed to solve: exit code: 2"),
  step("failed", image, "hello-flask-1.0.0-linux-arm64", 15),
  error(tag, "hello-flask-1.0.0", "hello-flask 1.0.0 is not written: linux/arm64: it does not start"),
  error("command:local:Command", "hello-flask-1.0.0-attestation", "cosign ended"),
];

describe("what is said while a run goes on", () => {
  it("names app, version and platform, why a build failed, and what its failed step printed", () => {
    expect(told(failing)).toBe(
      [
        "building hello-flask 1.0.0 linux/arm64",
        "✗ FAILED hello-flask 1.0.0 linux/arm64: failed to solve: exit code: 2",
        "  [2/2] RUN make",
        "  | boom",
        "  | ERROR: exit code: 2",
        "hello-flask 1.0.0 is not written: linux/arm64: it does not start",
        "hello-flask 1.0.0: cosign ended",
        "",
      ].join("\n"),
    );
  });

  it("names them in every event for machines", () => {
    const events = told(failing, { json: true })
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; app?: string; version?: string; platform?: string });
    expect(events.map(({ event, app: own, version, platform }) => [event, own, version, platform])).toEqual([
      ["begun", "hello-flask", "1.0.0", "linux/arm64"],
      ["message", "hello-flask", "1.0.0", "linux/arm64"],
      ["failed", "hello-flask", "1.0.0", "linux/arm64"],
      ["log", "hello-flask", "1.0.0", "linux/arm64"],
      ["message", "hello-flask", "1.0.0", undefined],
      ["message", "hello-flask", "1.0.0", undefined],
    ]);
  });

  it.each([
    ["hello-flask 1.0.0 linux/arm64: 5 programs checked in 0.3 s", ["hello-flask", "1.0.0", "linux/arm64"]],
    ["hello-flask 1.0.0: sbom for linux/arm64: no answer", ["hello-flask", "1.0.0", undefined]],
    ["hello-flask 1.0.0 is not written: linux/arm64: it does not start", ["hello-flask", "1.0.0", undefined]],
    ["hello-flask: whether it is signed cannot be told", ["hello-flask", undefined, undefined]],
    ["nothing more will be published from here: no identity", [undefined, undefined, undefined]],
    ["hello-flask 1.0.0: one\nother 2.0.0: two", [undefined, undefined, undefined]],
  ])("names them of a line of the program that begins with them: %s", (text, [own, version, platform]) => {
    const message: EngineEvent = { kind: "message", severity: "info", type: "pulumi:pulumi:Stack", name: "day", text };
    const [event] = told([app, message], { json: true }).split("\n");
    expect(JSON.parse(event ?? "")).toEqual({
      ...{ time: expect.any(String) as string, phase: "all", event: "message", severity: "info", text },
      ...(own !== undefined && { app: own }),
      ...(version !== undefined && { version }),
      ...(platform !== undefined && { platform }),
    });
  });

  it("is nothing of what is only recorded, read or forgotten", () => {
    const operations = ["same", "read", "refresh", "delete", "discard", "import"];
    const events = operations.flatMap((operation) => [
      step("begun", tag, "hello-flask-latest", 10, operation),
      step("done", tag, "hello-flask-latest", 12, operation),
    ]);
    expect(told([app, ...events])).toBe("");
    expect(told([app, step("begun", tag, "hello-flask-latest"), step("done", tag, "hello-flask-latest")])).toBe(
      "✓ tagged hello-flask latest\n",
    );
  });
});

describe("what is being built", () => {
  const running = (): Progress => {
    const progress = new Progress();
    for (const event of [
      app,
      step("begun", image, "hello-flask-1.0.0-linux-arm64", 10),
      output(`#3 [2/2] RUN ${"x".repeat(200)}`),
    ])
      progress.observe(event);
    return progress;
  };

  it("is a line on a terminal that changes in its place, cut to the terminal's width, below all other text", () => {
    let text = "";
    const voice = new Voice(false, "all", { write: (piece) => void (text += piece), columns: 60, colours: true });
    const ticker = new Ticker(running(), voice);
    ticker.tick(75_000);
    const [, line = ""] = /^\u001b\[\?7l(… hello-flask .*)\n\u001b\[\?7h$/.exec(text) ?? [];
    expect(line).toMatch(/^… hello-flask 1\.0\.0 linux\/arm64 {2}1:05 {2}\[2\/2\] RUN x+…$/);
    expect(line.length).toBeLessThan(60);
    text = "";
    voice.text("✗ FAILED other");
    expect(text.startsWith("\r\u001b[1A\u001b[J\u001b[31m✗ FAILED other\u001b[0m\n\u001b[?7l… hello-flask")).toBe(true);
    text = "";
    ticker.stop();
    expect(text).toBe("\r\u001b[1A\u001b[J");
  });

  it("takes no more lines than a terminal has, and erases as many as it took", () => {
    let text = "";
    const voice = new Voice(false, "all", { write: (piece) => void (text += piece), columns: 60, colours: false });
    voice.show(Array.from({ length: 40 }, (_, build) => `… build ${build}`));
    expect(text.split("\n").slice(-3)).toEqual(["… build 11", "… and 28 more", "\u001b[?7h"]);
    text = "";
    voice.show([]);
    expect(text).toBe("\r\u001b[13A\u001b[J");
  });

  it("is a line in a log now and then, and nothing where nothing is built", () => {
    let text = "";
    const voice = new Voice(false, "all", { write: (piece) => void (text += piece), colours: false });
    const [ticker, idle] = [new Ticker(running(), voice), new Ticker(new Progress(), voice)];
    idle.tick(75_000);
    expect(text).toBe("");
    ticker.tick(75_000);
    expect(text).toMatch(/^still building hello-flask 1\.0\.0 linux\/arm64 {2}1:05 {2}\[2\/2\] RUN x+\n$/);
    for (const each of [ticker, idle]) each.stop();
  });
});

describe("the screen", () => {
  it.each([
    [true, {}, { columns: 120, colours: true }],
    [true, { NO_COLOR: "1" }, { columns: 120, colours: false }],
    [true, { TERM: "dumb" }, { colours: false }],
    [true, { CI: "true" }, { colours: false }],
    [false, {}, { colours: false }],
  ])("with a terminal %s and %o in its environment is %o", (isTTY, environment, expected) => {
    const screen = { ...standardScreen(environment, { isTTY, columns: 120, write: () => true }) };
    expect(screen).toEqual({ ...expected, write: expect.any(Function) });
  });
});
