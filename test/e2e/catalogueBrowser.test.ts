import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AxeResults } from "axe-core";
import { HtmlValidate } from "html-validate";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureTools } from "../../tools/toolchain/ensureTools";
import { hostile, writeExampleSite } from "../commands/catalogue/exampleSite";

const pages = [
  "index.html",
  "mattermost/index.html",
  "mattermost/versions-2.html",
  "mattermost/11.19.0/index.html",
  "outline/index.html",
  "outline/0.91.0/index.html",
  "outline/0.91.0/packages-2.html",
  "hello-flask/1a2b3c4d/index.html",
  "odd/index.html",
  "odd/1.0.0/index.html",
  "new/index.html",
];

let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalogue-browser-"));
  await writeExampleSite(join(folder, "site"), "https://example.github.io/mirror/");
  const { programs } = await ensureTools(["chromium"]);
  // Chromium's own sandbox cannot be had by root, which containers run tests as.
  browser = await chromium.launch({ executablePath: programs.get("chromium") ?? "", args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Opens a page from its file. Whatever the browser complains of fails the test. */
async function open(
  path: string,
  look: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(pathToFileURL(join(folder, "site", path)).href);
    await look(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

async function isWide(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("document.documentElement.scrollWidth > document.documentElement.clientWidth");
}

describe("a page opened from its file", () => {
  it.each(pages)("has nothing that html-validate finds: %s", async (path) => {
    const validator = new HtmlValidate({
      extends: ["html-validate:recommended"],
      // XML reads the same markup, and texts of any length stand in titles.
      rules: { "void-style": ["error", { style: "selfclose" }], "long-title": "off", "no-inline-style": "error" },
    });
    const { results } = await validator.validateString(readFileSync(join(folder, "site", path), "utf8"));
    expect(results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => `${ruleId}: ${message}`))).toEqual(
      [],
    );
  });

  it.each([
    [
      "light",
      ["index", "outline/index", "odd/index", "new/index", "mattermost/11.19.0/index", "hello-flask/1a2b3c4d/index"],
      "axe.run()",
    ],
    ["dark", ["index", "outline/index", "mattermost/11.19.0/index"], "axe.run({ runOnly: ['color-contrast'] })"],
  ] as const)("has nothing that axe finds, in %s colours", async (colorScheme, templates, run) => {
    const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
    // Not by `open`: axe starts by what the pages' policy forbids, and loads the style again, which a page from a file may not.
    const context = await browser.newContext({ colorScheme, bypassCSP: true });
    const page = await context.newPage();
    for (const path of templates.map((name) => `${name}.html`)) {
      await page.goto(pathToFileURL(join(folder, "site", path)).href);
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate<AxeResults>(run);
      expect(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes[0]?.html ?? ""}`)).toEqual([]);
      expect(passes.length).toBeGreaterThan(0);
    }
    await context.close();
  });

  it("fits a window of 360 pixels, and is there without JavaScript", async () => {
    for (const path of pages) {
      const options = { viewport: { width: 360, height: 740 } };
      await open(path, async (page) => expect([path, await isWide(page)]).toEqual([path, false]), options);
      await open(
        path,
        async (page) => {
          expect(await page.locator("h1").count()).toBe(1);
          expect(await page.locator("main").innerText()).not.toBe("");
          expect(await page.locator("input, button").count()).toBe(0);
        },
        { ...options, javaScriptEnabled: false },
      );
    }
  });

  it("shows a table of versions whole in a window of 1024 pixels, and in wider ones", async () => {
    for (const path of ["mattermost/index.html", "outline/index.html", "hello-flask/index.html"])
      for (const width of [1024, 1060, 1100, 1280])
        await open(
          path,
          async (page) => {
            // The longest of the words for an age.
            await page.evaluate(
              "document.querySelectorAll('th [data-age]').forEach((age) => { age.textContent = 'less than an hour ago'; })",
            );
            const hidden = await page.evaluate(
              "[...document.querySelectorAll('section[aria-labelledby=versions] .wide')].map((box) => box.scrollWidth - box.clientWidth)",
            );
            expect([path, width, hidden]).toEqual([path, width, [0]]);
          },
          { viewport: { width, height: 800 } },
        );
  });

  it("shows pull commands, digests and packages without JavaScript", async () => {
    await open(
      "mattermost/11.19.0/index.html",
      async (page) => {
        const text = await page.locator("main").innerText();
        expect(text).toMatch(/docker pull ghcr\.io\/example\/mattermost:11\.19\.0@sha256:[0-9a-f]{64}/);
        expect(text).toContain("GPL-3.0-or-later");
        expect(text).toContain("verified by the catalogue's run at 2026-11-20 06:31 UTC, accepting signatures of");
      },
      { javaScriptEnabled: false },
    );
  });

  it("is dark where the reader wants it so", async () => {
    const colours: unknown[] = [];
    for (const colorScheme of ["light", "dark"] as const)
      await open(
        "index.html",
        async (page) => {
          colours.push(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
        },
        { colorScheme },
      );
    expect(colours).toEqual(["rgb(251, 250, 248)", "rgb(20, 23, 26)"]);
  });

  it("tells by words, not by colour alone, how things stand", async () => {
    await open("index.html", async (page) => {
      const text = await page.locator("#apps").innerText();
      for (const word of ["built here", "copied from upstream", "missing", "incomplete", "failing", "verified"])
        expect(text).toContain(word);
    });
  });

  it("says that it is old once it is, and not before", async () => {
    const shown = async (hours: number): Promise<boolean> => {
      let visible = false;
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.clock.setFixedTime(Date.parse("2026-11-20T06:31:00.000Z") + hours * 3_600_000);
      await page.goto(pathToFileURL(join(folder, "site", "index.html")).href);
      visible = await page.locator(".stale").isVisible();
      await context.close();
      return visible;
    };
    expect(await shown(11)).toBe(false);
    expect(await shown(13)).toBe(true);
  });
});

describe("search", () => {
  it("finds apps by name, upstream and platform, and says when there is none", async () => {
    await open("index.html", async (page) => {
      const found = async (words: string): Promise<readonly string[]> => {
        await page.locator("input[type=search]").fill(words);
        return page.locator("#apps > li:visible h2").allInnerTexts();
      };
      expect(await found("outline")).toEqual(["Outline"]);
      expect(await found("LARSKS")).toEqual(["hello-flask"]);
      expect(await found("ppc64le")).toEqual(["Outline", "hello-flask"]);
      expect(await found("nothing like it")).toEqual([]);
      expect(await page.locator("#apps-none").isVisible()).toBe(true);
      expect(await found("")).toHaveLength(5);
    });
  });

  it("finds packages by license, and begins and ends by keyboard", async () => {
    await open("mattermost/11.19.0/index.html", async (page) => {
      await page.keyboard.press("/");
      await page.keyboard.type("bsd-3");
      expect(await page.locator("#package-rows tr:visible th").allInnerTexts()).toEqual(["github.com/gorilla/mux"]);
      await page.keyboard.press("Escape");
      expect(await page.locator("#package-rows tr:visible").count()).toBe(3);
    });
  });
});

describe("the keyboard", () => {
  it("comes first to the link over the navigation, then to everything that can be used", async () => {
    await open("index.html", async (page) => {
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to content");
      const seen: unknown[] = [];
      for (let press = 0; press < 8; press++) {
        await page.keyboard.press("Tab");
        seen.push(await page.evaluate("document.activeElement.tagName"));
      }
      expect(seen).toEqual(["A", "INPUT", "A", "A", "A", "A", "A", "A"]);
      await page.locator("#apps a").first().focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/mattermost\/index\.html$/);
    });
  });

  it("copies a command, and says so", async () => {
    await open(
      "mattermost/index.html",
      async (page) => {
        const button = page.getByRole("button", { name: "Copy Docker command" });
        await button.focus();
        await page.keyboard.press("Enter");
        await page.getByRole("status").filter({ hasText: "Copied: Docker command" }).waitFor();
        const copied = await page.evaluate("navigator.clipboard.readText()");
        expect(copied).toMatch(/^docker pull ghcr\.io\/example\/mattermost:11\.19\.0@sha256:[0-9a-f]{64}$/);
      },
      { permissions: ["clipboard-read", "clipboard-write"] },
    );
  });
});

describe("hostile text", () => {
  it("is shown as what it is and does nothing", async () => {
    for (const path of ["index.html", "odd/index.html", "odd/1.0.0/index.html"])
      await open(path, async (page) => {
        expect(await page.title()).not.toBe("owned");
        expect(await page.locator("main script, main img:not([src='badge.svg'])").count()).toBe(0);
        expect(await page.locator("a[href^='javascript:']").count()).toBe(0);
        const text = await page.locator("main").innerText();
        expect(text).toContain('<script>document.title="owned"</script>');
        expect(text).not.toMatch(/[\u202e\u200b]/);
      });
    expect(hostile).toMatch(/\u202e/);
  });

  it("leaves feeds and badges whole, which a browser reads as XML", async () => {
    await open("index.html", async (page) => {
      for (const path of ["feed.xml", "odd/feed.xml", "odd/badge.svg", "sitemap.xml"]) {
        const xml = readFileSync(join(folder, "site", path), "utf8");
        const faults = await page.evaluate(
          `new DOMParser().parseFromString(${JSON.stringify(xml)}, "application/xml").querySelectorAll("parsererror").length`,
        );
        expect([path, faults]).toEqual([path, 0]);
      }
    });
  });
});

it("no page is longer than 200 kB", async () => {
  const files = await readdir(join(folder, "site"), { recursive: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.endsWith(".html"))
      .map(async (file) => [file, (await stat(join(folder, "site", file))).size] as const),
  );
  expect(sizes.length).toBeGreaterThan(130);
  expect(sizes.filter(([, size]) => size > 200_000)).toEqual([]);
});
