import { CommanderError } from "commander";
import { describe, expect, it, vi } from "vitest";
import { readRequest } from "../../../commands/reconcile/request";

const read = (...args: readonly string[]) => readRequest(["--stack", "prod", ...args], {}, "/project");

describe("the command line of reconcile", () => {
  it("does everything, for all, in a state that is thrown away, unless told otherwise", () => {
    expect(read()).toEqual({
      stack: "prod",
      phase: "all",
      dryRun: false,
      json: false,
      verbose: false,
      retry: false,
      strict: false,
      acceptUnreadable: false,
      emulate: false,
      parallel: 4,
      project: "/project",
    });
  });

  it("takes lists, numbers and files", () => {
    const request = read(
      ...["--apps", "esbuild, outline", "--platforms", "linux/amd64,linux/arm64/v8", "--keep", "3", "--phase", "build"],
      ...["--digests", "/d", "--time-limit", "330", "--retry", "--failures", "/f.json"],
    );
    expect(request).toMatchObject({
      apps: ["esbuild", "outline"],
      platforms: ["linux/amd64", "linux/arm64"],
      keep: 3,
      phase: "build",
      digests: "/d",
      timeLimitMs: 330 * 60_000,
      retry: true,
      failures: "/f.json",
    });
  });

  it("takes an empty value for an option that is not given, as workflows pass on inputs", () => {
    const empty = ["--apps", "", "--platforms", "", "--keep", "", "--parallel", "", "--retry=", "--emulate="];
    expect(read(...empty)).toEqual(read());
    expect(read("--retry=true", "--emulate=false")).toEqual({ ...read(), retry: true });
  });

  it("finds the files of GitHub Actions and the backend in the environment", () => {
    const environment = { GITHUB_STEP_SUMMARY: "/s", GITHUB_OUTPUT: "/o", PULUMI_BACKEND_URL: "s3://bucket" };
    expect(readRequest(["--stack", "prod"], environment, "/project")).toMatchObject({
      summary: "/s",
      outputs: "/o",
      state: "s3://bucket",
    });
  });

  it("takes the catalogue's address from the environment, where it is one", () => {
    const catalogue = (address: string) => readRequest(["--stack", "prod"], { CATALOGUE_URL: address }, "/p").catalogue;
    expect(catalogue("https://owner.github.io/mirror/")).toBe("https://owner.github.io/mirror/");
    for (const address of ["", "javascript:alert(1)", "https://a/) [b](c"]) expect(catalogue(address)).toBeUndefined();
  });

  it("takes a folder for a backend", () => {
    expect(read("--state", "/var/lib/mirror").state).toBe("file:///var/lib/mirror");
  });

  it.each([
    [["--stack", "../prod"]],
    [["--stack", "prod", "--apps", "a,,b"]],
    [["--stack", "prod", "--apps", "$(id)"]],
    [["--stack", "prod", "--platforms", "linux/amd65"]],
    [["--stack", "prod", "--keep", "-1"]],
    [["--stack", "prod", "--keep", "1e9"]],
    [["--stack", "prod", "--phase", "publish"]],
    [["--stack", "prod", "--phase", "everything"]],
    [["--stack", "prod", "--retry", "perhaps"]],
    [["--stack", "prod", "--nonsense"]],
    [["--stack", "prod", "extra"]],
    [[]],
  ])("refuses %j and says so", (args) => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      expect(() => readRequest(args, {}, "/project")).toThrow(CommanderError);
      expect(said).toHaveBeenCalled();
    } finally {
      said.mockRestore();
    }
  });

  it("tells every mistake at once, a line each with what is accepted", () => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const args = [
        "--apps",
        "a,,b",
        "--platforms",
        "linux/amd65",
        "--keep",
        "1e9",
        "--phase",
        "all of it",
        "--retry=perhaps",
      ];
      expect(() => readRequest(args, {}, "/project")).toThrow(CommanderError);
      expect(said.mock.calls.join("").trim().split("\n")).toEqual([
        "error: --stack: nothing given; accepted is NAME, PROJECT/NAME or ORGANISATION/PROJECT/NAME, of letters, digits, . _ -",
        'error: --phase: "all of it"; accepted is one of plan, build, publish, all',
        'error: --apps[1]: ""; it is not an app\'s name; accepted is a-z, 0-9, . _ -',
        expect.stringMatching(/^error: --platforms\[0\]: "linux\/amd65"; accepted are linux\/386, /),
        'error: --keep: "1e9"; accepted is a whole number from 1 to 99999',
        'error: --retry: "perhaps"; accepted is one of true, false',
      ]);
    } finally {
      said.mockRestore();
    }
  });

  it("takes the webhook from the environment, and never shows one that is not accepted, as it may be a secret", () => {
    const environment = { MIRROR_NOTIFY: "https://hooks.example/secret" };
    expect(readRequest(["--stack", "prod"], environment, "/project").notify?.url.href).toBe(environment.MIRROR_NOTIFY);
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    expect(() => readRequest(["--stack", "prod", "--notify", "hooks.example/secret"], {}, "/project")).toThrow();
    expect(said.mock.calls.join("")).toMatch(
      /--notify: \(not shown, as it may be a secret\); accepted is an https address/,
    );
    expect(said.mock.calls.join("")).not.toContain("hooks.example");
    said.mockRestore();
  });

  it("keeps no state in a build phase, whatever it is told", () => {
    const args = ["--stack", "prod", "--digests", "d", "--state", "/state", "--phase"];
    expect(readRequest([...args, "build"], {}, "/project")).not.toHaveProperty("state");
    expect(readRequest([...args, "publish"], {}, "/project").state).toBe("file:///state");
  });
});
