import { SiteDraft } from "../../../commands/catalogue/site";
import { writeSitePages, writeVersionPages } from "../../../commands/catalogue/writePages";
import type { CatalogueApp, CatalogueVersion } from "../../../commands/catalogue/schema";
import { rowOf } from "../../../commands/catalogue/readApp";
import { exampleApp, exampleIndex, examplePlatform, exampleVersion } from "./example";

/** What somebody hostile would call a tag, a package, a label or a license. */
export const hostile = `</title><script>document.title="owned"</script><img src=x onerror=alert(1)>"'\`\u202egpj.exe\u200b\u009b31m${"x".repeat(300)}`;

/** Versions and apps in every state there is: complete, incomplete, failing, empty, hostile, and with very many versions. */
export function exampleCatalogue(): {
  readonly apps: readonly CatalogueApp[];
  readonly versions: readonly CatalogueVersion[];
} {
  const mattermost = Array.from({ length: 130 }, (_, position) => {
    const version = `${11 - Math.floor(position / 20)}.${19 - (position % 20)}.0`;
    return exampleVersion({ version, tags: position === 0 ? [version, "11.19", "11", "latest"] : [version] });
  });
  const outline = exampleVersion({
    app: "outline",
    version: "0.91.0",
    tags: ["0.91.0", "latest"],
    platforms: [
      examplePlatform("linux/amd64"),
      examplePlatform("linux/arm64", { origin: "copied", from: "docker.io/outlinewiki/outline@sha256:1" }),
    ],
    missing: ["linux/ppc64le"],
    packages: Array.from({ length: 1500 }, (_, position) => ({
      name: `package-${position}`,
      version: "1.0.0",
      kind: "npm",
      licenses: "MIT",
    })),
  });
  const flask = exampleVersion({
    app: "hello-flask",
    version: "1a2b3c4d",
    packages: [],
    proof: {
      ...exampleVersion().proof,
      state: "not checked",
      reason: "cosign is not installed where the catalogue was made",
      checks: [],
      signers: [],
    },
    platforms: ["linux/amd64", "linux/arm64", "linux/ppc64le"].map((platform) => {
      const { digest, size, labels, entrypoint, command, workingDirectory, environment } = examplePlatform(platform);
      const { ports, volumes, layers } = examplePlatform(platform);
      const runs = { labels, entrypoint, command, user: "", workingDirectory, environment, ports, volumes, layers };
      return { platform, digest, origin: "published", size, ...runs };
    }),
  });
  const odd = exampleVersion({
    app: "odd",
    version: "1.0.0",
    tags: ["1.0.0", hostile],
    packages: [{ name: hostile, version: hostile, licenses: hostile }],
    platforms: [
      examplePlatform("linux/amd64", { labels: { [hostile]: hostile }, environment: [hostile], entrypoint: [hostile] }),
    ],
    upstream: { repository: "javascript:alert(1)", reference: hostile, commit: "b".repeat(40) },
    proof: {
      ...exampleVersion().proof,
      state: "failed",
      checks: [{ what: hostile, ok: false, detail: hostile, at: exampleVersion().proof.at }],
    },
  });
  return {
    versions: [...mattermost, outline, flask, odd],
    apps: [
      exampleApp({ versions: mattermost.map(rowOf) }),
      exampleApp({
        app: "outline",
        title: "Outline",
        description: "Knowledge base for growing teams",
        upstream: "https://github.com/outline/outline",
        why: "Upstream publishes linux/amd64, linux/arm64 itself.",
        state: "incomplete",
        stateDetail: "2 versions are not complete",
        versions: [rowOf(outline)],
        missing: [
          {
            version: "0.92.0",
            reason: "linux/ppc64le: the build failed: exit code 1",
            failures: 6,
            nextTry: "2026-11-27T06:00:00.000Z",
          },
          { version: "0.91.0", reason: "linux/ppc64le missing" },
        ],
      }),
      exampleApp({
        app: "hello-flask",
        title: "hello-flask",
        description: "A minimal Flask web application",
        upstream: "https://github.com/larsks/hello-flask",
        why: "Upstream publishes no image.",
        versions: [rowOf(flask)],
      }),
      exampleApp({
        app: "odd",
        title: hostile,
        description: hostile,
        upstream: "javascript:alert(1)",
        why: hostile,
        state: "failing",
        stateDetail: hostile,
        problems: [hostile],
        versions: [rowOf(odd)],
        missing: [{ version: hostile, reason: hostile }],
      }),
      exampleApp({
        app: "new",
        title: "New",
        description: "Something that was added today",
        state: "empty",
        stateDetail: "nothing is published yet",
        versions: [],
        floating: [],
        events: [],
      }),
    ],
  };
}

/** Writes the example as a site. */
export async function writeExampleSite(folder: string, url?: string): Promise<void> {
  const { apps, versions } = exampleCatalogue();
  const index = exampleIndex(apps, url === undefined ? {} : { url });
  const draft = await SiteDraft.begin(folder);
  for (const version of versions) {
    const title = apps.find(({ app }) => app === version.app)?.title ?? version.app;
    await writeVersionPages(draft, version, title, index);
  }
  await writeSitePages(draft, index, apps);
  await draft.replace();
}
