import { afterAll, beforeAll, expect, it } from "vitest";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf } from "../e2e/support/pulumiRun";
import { tinyAppFile, tinyDockerfile, tinyUpstream } from "../e2e/support/tinyUpstream";

let mirror: MirrorUnderTest;
let secret: string;

/** Ways to a private image's file, and what the run says of each. */
const ways: Readonly<Record<string, (image: string) => string>> = {
  copied: (image) => `FROM scratch\nCOPY --from=${image} /bin/tiny /stolen`,
  mounted: (image) => `FROM scratch\nCOPY bin/amd64 /bin/tiny\nRUN --mount=from=${image},target=/x ["/x/bin/tiny"]`,
  based: (image) => `FROM ${image}`,
  computed: (image) =>
    `ARG HOST=${image.split("/")[0]}\nARG REST=${image.slice(image.indexOf("/") + 1)}\nFROM $HOST/$REST`,
  quoted: (image) =>
    `FROM scratch AS s\nONBUILD RUN --mount="type=bind,from=${image},target=/x" ["/x/bin/tiny"]\nFROM s`,
  hidden: (image) => `FROM scratch\nRUN x=\${V:=y} cat <<CMD\nCMD\nCOPY --from=${image} /bin/tiny /stolen`,
  frontend: (image) => `# syntax=${image}\nFROM scratch`,
  triggered: (image) => `${tinyDockerfile}ONBUILD COPY --from=${image} /bin/tiny /bin/tiny`,
};

/** What is said of it; of all others that nobody can read the image without the mirror's credentials. */
const reasons: Readonly<Record<string, string>> = {
  frontend: "is not one of docker/dockerfile",
  triggered: "every build on the finished image would begin \\(ONBUILD\\) with files from",
};

/** A yen is a backslash where git writes the file as Shift JIS, as it does for the builder's checkout: it joins the first line with the next, which then begins no here-document. */
const encoded = (image: string) =>
  `${tinyDockerfile}ENV A ¥\nCOPY <<LABEL /note\nCOPY --from=${image} /bin/tiny /stolen\nLABEL\n`;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    sandbox: { authentication: { mode: "token", user: "mirror", password: "right" } },
    apps: async (sandbox) => {
      await tinyUpstream(sandbox, "good", [{ version: "1.0.0" }]);
      return { good: tinyAppFile(sandbox, "good") };
    },
  });
  expect(errorsOf(await mirror.up())).toBe("");
  secret = `${mirror.sandbox.urls.registry}/private/secret:1`;
  await mirror.registry.regctl("image", "copy", mirror.registry.name("good", "1.0.0"), secret);
});

afterAll(() => mirror?.stop());

it("F34 no Dockerfile gets at an image that only the mirror can read, whichever way it names it; what the app lists it may use", async () => {
  const apps: Record<string, string> = { good: tinyAppFile(mirror.sandbox, "good") };
  for (const [app, dockerfile] of Object.entries(ways)) {
    await tinyUpstream(mirror.sandbox, app, [{ version: "1.0.0", dockerfile: dockerfile(secret) }]);
    apps[app] = tinyAppFile(mirror.sandbox, app);
  }
  const attributes = { content: "Dockerfile working-tree-encoding=SHIFT_JIS\n", mode: "100644" } as const;
  const files = { ".gitattributes": attributes };
  await tinyUpstream(mirror.sandbox, "encoded", [{ version: "1.0.0", dockerfile: encoded(secret), files }]);
  apps["encoded"] = tinyAppFile(mirror.sandbox, "encoded");
  const own = `FROM scratch\nCOPY --from=${mirror.registry.name("good", "1.0.0")} /bin/tiny /stolen`;
  await tinyUpstream(mirror.sandbox, "own", [{ version: "1.0.0", dockerfile: own }]);
  apps["own"] = tinyAppFile(mirror.sandbox, "own");
  const listed = `FROM scratch\nCOPY --from=${secret} /bin/tiny /bin/tiny\nENTRYPOINT ["/bin/tiny"]`;
  await tinyUpstream(mirror.sandbox, "listed", [{ version: "1.0.0", dockerfile: listed }]);
  apps["listed"] = tinyAppFile(mirror.sandbox, "listed", `\n  privateBases: ["${secret.replace(/:1$/, "")}"],`).replace(
    '"^listed "',
    '"^good "',
  );
  mirror.setApps(apps);
  const run = await mirror.up();
  expect(run.exitCode).not.toBe(0);
  for (const app of Object.keys(ways)) {
    const reason = reasons[app] ?? "may not be used: nobody can read it without the mirror's";
    expect(errorsOf(run), app).toMatch(new RegExp(`^${app}: 1\\.0\\.0: .*${reason}`, "m"));
    expect(await mirror.registry.tags(app), app).toEqual([]);
  }
  expect(errorsOf(run)).toMatch(/^own: 1\.0\.0: .*may not be used: it is one of the mirror's own/m);
  expect(await mirror.registry.tags("own")).toEqual([]);
  // Built from the text that was looked at, in which all but the last line is the note's.
  const image = ["--platform", "linux/amd64", mirror.registry.name("encoded", "1.0.0")];
  expect(await mirror.registry.regctl("image", "get-file", ...image, "/note")).toBe(
    `COPY --from=${secret} /bin/tiny /stolen`,
  );
  await expect(mirror.registry.regctl("image", "get-file", ...image, "/stolen")).rejects.toThrow("/stolen");
  expect(await mirror.registry.tags("listed"), run.output).toEqual(["1.0.0", "latest"]);
});

it("F34 the cache mounts of each app have a name of their own", async () => {
  const { resources } = await mirror.exportState();
  const images = resources.filter(({ type }) => type === "docker-build:index:Image");
  const names = images.map(
    ({ inputs }) => (inputs?.["buildArgs"] as Record<string, string>)["BUILDKIT_CACHE_MOUNT_NS"],
  );
  const apps = ["encoded", "encoded", "good", "good", "listed", "listed"].map((app) => mirror.registry.name(app));
  expect(names.toSorted()).toEqual(apps);
});
