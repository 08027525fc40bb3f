import type { ResourceSubject } from "../../components/model/resourceNames";
import type { EngineEvent } from "./engineEvents";
import { isWork, type Progress, type RunningBuild } from "./progress";
import type { ReconcileEvent, Voice } from "./voice";

const kinds: Readonly<Record<string, "image" | "tag" | "attestation">> = {
  "docker-build:index:Image": "image",
  "docker-build:index:Index": "tag",
  "command:local:Command": "attestation",
};

const verbs = {
  image: { begun: "building", done: "built", failed: "FAILED" },
  tag: { begun: "tagging", done: "tagged", failed: "FAILED tag" },
  attestation: { begun: "attesting", done: "attested", failed: "FAILED attestation" },
} as const;

/**
 * Says what an event of the engine means for the mirror: to machines all of it, to people what is new to them. What images and
 * tags are about is said by app, version and platform.
 */
export function announce(event: EngineEvent, progress: Progress, looking: boolean, voice: Voice): void {
  if (event.kind === "output") return;
  if (event.kind === "message") announceMessage(event, progress, voice);
  else if (!looking && isWork(event)) announceStep(event, progress, voice);
}

function announceMessage(event: EngineEvent & { kind: "message" }, progress: Progress, voice: Voice): void {
  const { severity, text, type, name } = event;
  // Where a plugin was found says nothing about the mirror.
  if (/^using pulumi-\S+ from \$PATH at /.test(text)) return;
  const ofProgram = type === "" || type === "pulumi:pulumi:Stack";
  // What the program says is for people; of what resources say only that something went wrong.
  if (ofProgram ? severity === "debug" : severity !== "error") return;
  const subject = ofProgram ? undefined : progress.subject(name);
  const said: ReconcileEvent = { event: "message", severity, text, ...(subject ?? progress.subjectOfText(text)) };
  // The program's own failures are told when the run ends; those of a build with the build.
  if (severity === "error" && (ofProgram || kinds[type] === "image")) voice.say(said);
  else
    voice.say(
      said,
      subject === undefined || text.startsWith(`${subject.app} `) ? text : `${labelOf(subject)}: ${text}`,
    );
}

function announceStep(
  { kind, type, name }: EngineEvent & { kind: "begun" | "done" | "failed" },
  progress: Progress,
  voice: Voice,
): void {
  const what = kinds[type] ?? "image";
  const subject = progress.subject(name);
  const label = subject ? labelOf(subject) : name;
  const build = progress.build(name);
  const seconds = kind === "done" && what === "image" && build ? build.seconds : undefined;
  const event: ReconcileEvent = {
    ...{ event: kind, kind: what, resource: name, ...subject },
    ...(seconds !== undefined && { seconds }),
    ...(build?.failure !== undefined && { reason: build.failure }),
  };
  const sign = { begun: "", done: "✓ ", failed: "✗ " }[kind];
  const after = seconds === undefined ? "" : ` in ${seconds} s`;
  const why = build?.failure === undefined ? "" : `: ${build.failure}`;
  // That a tag is begun, or on a terminal a build, is told soon enough.
  if (kind === "begun" && (what !== "image" || voice.isLive)) voice.say(event);
  else voice.say(event, `${sign}${verbs[what][kind]} ${label}${after}${why}`);
  const { failedStep } = build ?? {};
  if (kind !== "failed" || !failedStep) return;
  const { name: step, lines } = failedStep;
  voice.say(
    { event: "log", resource: name, ...subject, step, lines },
    `  ${step}`,
    ...lines.map((line) => `  | ${line}`),
  );
}

function labelOf({ app, version, platform, base }: ResourceSubject): string {
  const on = base === undefined ? "" : `, its base ${base}`;
  return `${app} ${version}${platform === undefined ? "" : ` ${platform}`}${on}`;
}

const minuteMs = 60_000;
const secondMs = 1000;

/** Keeps saying what is being built: on a terminal a line for each build that changes every second, in a log a line every minute. */
export class Ticker {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly progress: Pick<Progress, "running" | "subject">,
    private readonly voice: Voice,
  ) {
    this.timer = setInterval(() => this.tick(Date.now()), voice.isLive ? secondMs : minuteMs);
  }

  /** @param now milliseconds since 1970. */
  tick(now: number): void {
    const lines = this.progress.running.map((build) => this.line(build, now));
    if (this.voice.isLive) this.voice.show(lines.map((line) => `… ${line}`));
    else if (lines.length > 0)
      this.voice.say({ event: "progress", builds: lines }, ...lines.map((line) => `still building ${line}`));
  }

  stop(): void {
    clearInterval(this.timer);
    this.voice.show([]);
  }

  private line({ name, since, step }: RunningBuild, now: number): string {
    const subject = this.progress.subject(name);
    const seconds = Math.max(0, Math.round(now / 1000 - since));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return `${subject ? labelOf(subject) : name}  ${clock}${step === undefined ? "" : `  ${step}`}`;
  }
}
