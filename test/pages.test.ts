import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md", "tools/sandbox/README.md"].concat(
  readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
);

const textOf = (page: string): string => readFileSync(page, "utf8");

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Where the links of a page within the project lead: file and heading. */
function linksOf(page: string): readonly { readonly file: string; readonly anchor: string }[] {
  const targets = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", anchor = ""] = target.split("#");
      return { file: file === "" ? page : join(dirname(page), file), anchor };
    });
}

interface Call {
  readonly script: string;
  readonly options: readonly string[];
}

/** Every `npm run SCRIPT -- --option` of a page, with what follows up to the end of its line. */
function callsOf(page: string): readonly Call[] {
  const calls = textOf(page).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)(?: -- ([^\n`#"]*))?/g);
  return [...calls].map(([, script = "", rest = ""]) => ({
    script,
    options: [...rest.matchAll(/(?<=^|\s)--[a-z][\w-]*/g)].map(([option]) => option),
  }));
}

const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> };

/** What a script says about its options, those of its subcommands included. */
async function helpOf(script: string): Promise<string> {
  const [, ...args] = (scripts[script] ?? "").split(" ");
  const help = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...args, ...words, "--help"])).stdout;
  const whole = await help();
  const subcommands = [...(whole.split("\nCommands:\n")[1] ?? "").matchAll(/^ {2}([a-z-]+) /gm)].map(
    ([, name = ""]) => name,
  );
  return [
    whole,
    ...(await Promise.all(subcommands.filter((name) => name !== "help").map((name) => help(name)))),
  ].join();
}

/** Scripts that take their options through commander, which lists them. */
const withOptions = (script: string): boolean => !script.startsWith("test");

describe("the pages", () => {
  it("begin with a front door of at most 150 lines, from which every page of docs/ is linked", () => {
    expect(textOf("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
    const linked = linksOf("README.md").map(({ file }) => file);
    expect(pages.filter((page) => page.startsWith("docs/") && !linked.includes(page))).toEqual([]);
  });

  it.each(pages)("have in %s links to files and headings that exist", (page) => {
    const dead = linksOf(page).filter(
      ({ file, anchor }) => !existsSync(file) || (anchor !== "" && !anchorsOf(file).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });

  // A process for each command and subcommand that is asked for its options.
  it("call scripts that exist with options they have", { timeout: 180_000 }, async () => {
    const calls = pages.flatMap(callsOf);
    expect(calls.length).toBeGreaterThan(30);
    expect(calls.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
    const called = [...new Set(calls.filter(({ options }) => options.length > 0).map(({ script }) => script))];
    for (const script of called.filter(withOptions)) {
      const help = await helpOf(script);
      const options = calls.filter((call) => call.script === script).flatMap((call) => call.options);
      expect(options.filter((option) => !new RegExp(`${option}(?![\\w-])`).test(help))).toEqual([]);
    }
  });
});

describe("the page about promises", () => {
  const rows = textOf("docs/promises.md")
    .split("\n")
    .filter((line) => line.startsWith("| "));
  const proofs = rows.map((line) => line.split("|").at(-2)?.trim() ?? "");

  /** Numbers of fault tests in a text; `F05–F11` is all from the one to the other. */
  function numbersIn(text: string): readonly number[] {
    return [...text.matchAll(/F(\d\d)(?:–F(\d\d))?/g)].flatMap(([, first, last = first]) => {
      const from = Number(first);
      return Array.from({ length: Number(last) - from + 1 }, (_, position) => from + position);
    });
  }

  const tested = ["test/faults", "test/e2e"].flatMap((folder) => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
    const titles = files.flatMap((name) => [...textOf(join(folder, name)).matchAll(/^ *["(itef.ach]*["`](F\d\d) /gm)]);
    return titles.flatMap(([, number = ""]) => numbersIn(number));
  });

  it("names for each promise and each fault the tests that keep it, all of which exist", () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const proof of proofs.filter((cell) => !/^(tests?|kept by.*|-+)$/.test(cell))) {
      const files = [...proof.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file);
      expect(files.length + numbersIn(proof).length, proof).toBeGreaterThan(0);
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
      expect(numbersIn(proof).filter((number) => !tested.includes(number))).toEqual([]);
    }
  });

  it("leaves out no test of a fault", () => {
    expect(new Set(tested).size).toBeGreaterThan(25);
    expect([...new Set(tested)].filter((number) => !proofs.flatMap(numbersIn).includes(number))).toEqual([]);
  });
});
