import type { Sandbox } from "../../../tools/sandbox/sandbox";
import type { GitCommit, GitTag } from "../../../tools/sandbox/gitRepository";
import { type PrintingPlatform, printingPlatforms, printingProgram } from "./printingProgram";

/** One release of a {@link tinyUpstream}: what its program prints, and the tags that name the commit. */
export interface TinyRelease {
  /** What the program answers on every platform: `<app> <version>`. */
  readonly version: string;
  /** Default: `v<version>`. */
  readonly tags?: readonly GitTag[];
  /** The platform whose program is put where that of the key belongs. */
  readonly swapped?: Partial<Record<PrintingPlatform, PrintingPlatform>>;
  /** Instead of the usual Dockerfile. */
  readonly dockerfile?: string;
  readonly files?: GitCommit["files"];
}

/** Copies one prebuilt program per architecture: no base image, no build step, nothing to download. */
export const tinyDockerfile = `FROM scratch
ARG TARGETARCH
COPY --chmod=755 bin/\${TARGETARCH} /bin/tiny
ENTRYPOINT ["/bin/tiny"]
`;

/** Makes, or adds to, a git repository in the sandbox whose releases build in a moment. @returns URL and commits, in order. */
export function tinyUpstream(
  sandbox: Sandbox,
  app: string,
  releases: readonly TinyRelease[],
): Promise<{ readonly url: string; readonly commits: readonly string[] }> {
  return sandbox.createGitRepository(
    app,
    releases.map(({ version, tags, swapped = {}, dockerfile = tinyDockerfile, files = {} }) => ({
      message: `Release ${version}`,
      tags: tags ?? [`v${version}`],
      files: {
        Dockerfile: dockerfile,
        ...Object.fromEntries(
          printingPlatforms.map((platform) => [
            `bin/${platform.slice("linux/".length)}`,
            { content: printingProgram(swapped[platform] ?? platform, `${app} ${version}\n`), mode: "100755" as const },
          ]),
        ),
        ...files,
      },
    })),
  );
}

/** The text of the file in `apps/` that mirrors a {@link tinyUpstream}; its export is named like the app. */
export function tinyAppFile(sandbox: Sandbox, app: string, more = ""): string {
  return `import type { AppSpecification } from "../components/model/appSpecification";

export const ${app}: AppSpecification = {
  name: "${app}",
  source: { kind: "gitTags", url: "${sandbox.urls.git}/${app}.git" },
  floatingTags: ["latest"],
  smoke: { command: ["/bin/tiny"], expect: ({ version }) => new RegExp("^${app} " + version + "$", "m") },${more}
};
`;
}

/** One app, `tiny`, with these versions upstream: its file, by the name of its export. */
export function tinyApp(
  ...versions: readonly string[]
): (sandbox: Sandbox) => Promise<Readonly<Record<string, string>>> {
  return async (sandbox) => {
    await tinyUpstream(
      sandbox,
      "tiny",
      versions.map((version) => ({ version })),
    );
    return { tiny: tinyAppFile(sandbox, "tiny") };
  };
}
