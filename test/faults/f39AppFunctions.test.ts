import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../e2e/support/tinyUpstream";

let mirror: MirrorUnderTest;
const appsWith = (more: string): Readonly<Record<string, string>> => ({
  tiny: tinyAppFile(mirror.sandbox, "tiny", more),
  other: tinyAppFile(mirror.sandbox, "other"),
});

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "tiny", [{ version: "1.0.0" }]);
      await tinyUpstream(sandbox, "other", [{ version: "1.0.0" }]);
      return { tiny: tinyAppFile(sandbox, "tiny"), other: tinyAppFile(sandbox, "other") };
    },
  });
});

afterAll(() => mirror?.stop());

it.each([
  ["buildArguments: () => ({ COUNT: 3 }) as never", /buildArguments in apps\/tiny\.ts, .*COUNT: 3; accepted is text/],
  ["buildArguments: () => { throw new Error('boom'); }", /buildArguments in apps\/tiny\.ts, .*it throws "boom"/],
  [
    "files: () => [{ url: 'https://localhost/x', sha265: 'aa' }] as never",
    /files in apps\/tiny\.ts, .*did you mean "sha256"/,
  ],
  [
    "official: { reference: () => undefined as never, whenUpstreamHasPlatform: 'copy' }",
    /official\.reference in apps\/tiny\.ts, /,
  ],
])("F39 a preview tells of %s, and of the other app all the same", async (more, told) => {
  mirror.setApps(appsWith(`\n  ${more},`));
  const preview = await mirror.preview();
  expect(preview.exitCode).not.toBe(0);
  expect(errorsOf(preview)).toMatch(/^tiny: /);
  expect(errorsOf(preview)).toMatch(told);
  expect(preview.output).toMatch(/other \(.*\n.*\n +1\.0\.0 +missing +will build +will build/);
});

it("F39 the other app is published, and what the function spoils is told when all is published, too", async () => {
  mirror.setApps(appsWith("\n  buildArguments: () => ({ COUNT: 3 }) as never,"));
  const up = await mirror.up();
  expect(up.exitCode).not.toBe(0);
  expect(await mirror.registry.tags("other")).toEqual(["1.0.0", "latest"]);
  mirror.setApps(appsWith(""));
  expect(errorsOf(await mirror.up())).toBe("");
  mirror.setApps(appsWith("\n  buildArguments: () => ({ COUNT: 3 }) as never,"));
  const later = await mirror.preview();
  expect(later.exitCode).not.toBe(0);
  expect(errorsOf(later)).toBe(
    "tiny: buildArguments in apps/tiny.ts, for 1.0.0 on linux/amd64, linux/arm64: COUNT: 3; accepted is text",
  );
});
