import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { outputOf } from "../../components/system/process";
import { buildPulledImages } from "../../tools/dockerfiles/askBuildkit";
import { collectDockerfiles } from "../../tools/dockerfiles/collectDockerfiles";
import { compareDockerfiles } from "../../tools/dockerfiles/compareDockerfiles";
import { generateDockerfiles } from "../../tools/dockerfiles/generateDockerfiles";

let folder: string;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dockerfiles-"));
  program = await buildPulledImages(folder);
});

afterAll(() => rm(folder, { recursive: true }));

it("reads made-up Dockerfiles as BuildKit does", async () => {
  const { same, differences } = await compareDockerfiles(program, generateDockerfiles(4_000, 1));
  expect(differences).toEqual([]);
  expect(same).toBeGreaterThan(1_000);
});

it("reads the Dockerfiles of the tools' own sources as BuildKit does", async () => {
  const modules = (await outputOf("go", ["env", "GOMODCACHE"], { limitMs: 60_000 })).trim();
  const { same, differences } = await compareDockerfiles(program, await collectDockerfiles([modules]));
  expect(differences).toEqual([]);
  expect(same).toBeGreaterThan(10);
});
