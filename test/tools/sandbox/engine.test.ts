import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { usableEngine } from "../../../tools/sandbox/engine";

/** In place of Docker's client: answers from the environment. */
const client = `#!/bin/sh
echo "$*" >> "$FAKE_LOG"
[ "$1" != --host ] || shift 2
case "$1" in
  context) echo "$FAKE_HOST" ;;
  info) [ -n "$FAKE_INFO" ] && echo "$FAKE_INFO" ;;
  image) [ -n "$FAKE_IMAGES" ] ;;
  pull) echo "no route to host" >&2; exit 1 ;;
esac
`;

let folder: string;
const before = { ...process.env };
const linux = { OperatingSystem: "Debian GNU/Linux 12", SecurityOptions: ["name=seccomp,profile=default"] };
const host = "unix:///var/run/docker.sock";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "engine-"));
  writeFileSync(join(folder, "docker"), client);
  chmodSync(join(folder, "docker"), 0o755);
  process.env["PATH"] = `${folder}:${before["PATH"]}`;
  process.env["FAKE_LOG"] = join(folder, "log");
  writeFileSync(join(folder, "log"), "");
});

afterEach(() => {
  process.env = { ...before };
  rmSync(folder, { recursive: true, force: true });
});

interface Answers {
  readonly host?: string;
  readonly info?: unknown;
  readonly images?: string;
}

async function find(answers: Answers) {
  const { host: address = host, info = linux, images = "yes" } = answers;
  const text = typeof info === "string" ? info : JSON.stringify(info);
  Object.assign(process.env, { FAKE_HOST: address, FAKE_INFO: text, FAKE_IMAGES: images });
  const said: string[] = [];
  const engine = await usableEngine("olareg", (line) => said.push(line));
  return { engine, said: said.at(-1) };
}

describe("the Docker Engine the sandbox uses", () => {
  it.runIf(process.platform === "linux")("is one that answers, and has this machine's network", async () => {
    expect(await find({})).toEqual({ engine: { host, sharesNetwork: true }, said: undefined });
  });

  it("has a network of its own in Docker Desktop", async () => {
    const { engine } = await find({ info: { OperatingSystem: "Docker Desktop", SecurityOptions: null } });
    expect(engine).toEqual({ host, sharesNetwork: false });
  });

  it.each([
    ["that does not answer", ""],
    ["of which only the client is there", { OperatingSystem: "", ServerErrors: ["Cannot connect"] }],
    ["that answers what Docker does not", "<html>"],
  ])("is none %s, without a word", async (_, info) => {
    expect(await find({ info })).toEqual({ engine: undefined, said: undefined });
  });

  it.each([
    ["elsewhere", { host: "ssh://me@example.test" }, 'its host is "ssh://me@example.test"'],
    ["without root", { info: { ...linux, SecurityOptions: ["name=rootless"] } }, "it runs without root"],
    ["without the image, and no way to it", { images: "" }, "no route to host"],
  ])("is none that runs %s, and says why", async (_, answers, reason) => {
    const { engine, said } = await find(answers);
    expect(engine).toBeUndefined();
    expect(said).toContain(`doing without Docker: `);
    expect(said).toContain(reason);
  });

  it("is not asked where Docker may not be used", async () => {
    process.env["MIRROR_SANDBOX_DOCKER"] = "off";
    expect((await find({})).engine).toBeUndefined();
    expect(readFileSync(join(folder, "log"), "utf8")).toBe("");
  });
});
