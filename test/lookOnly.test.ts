import * as pulumi from "@pulumi/pulumi";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { versionLabels } from "../components/decide/labels";
import { declareApps } from "../components/declare/declareApps";
import { allFound, startLooking } from "../look";
import type { AppSpecification } from "../components/model/appSpecification";
import type { Published, PublishedVersion } from "../components/model/published";
import { resourceNames } from "../components/model/resourceNames";
import { openServices } from "../components/wiring/openServices";
import { pulumiHost } from "../components/wiring/pulumiHost";
import type { StateResource } from "../components/probe/stackState";
import { stackState } from "../components/probe/stackState";
import { conclusion } from "../components/report/conclusion";
import { outputOf } from "../components/system/process";
import { lookOnly } from "../lookOnly";
import { createGitServer } from "../tools/sandbox/gitServer";
import { writeGitRepository } from "../tools/sandbox/gitRepository";
import { allowRejections, RecordingMock } from "./declare/recordingMock";
import { errorBody, FakeRegistry } from "./registry/fakeRegistry";

allowRejections();

const folder = mkdtempSync(join(tmpdir(), "look-only-"));
const repositories = join(folder, "git");
const repository = "mirror/tiny";
let gitServer: Server;
let registry: FakeRegistry;
let certificate: { readonly key: string; readonly cert: string };
let apps: readonly AppSpecification[];

beforeAll(async () => {
  process.env["MIRROR_CACHE"] = join(folder, "cache");
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  certificate = { key, cert };
  process.env["SSL_CERT_FILE"] = join(folder, "certificate.pem");
  writeFileSync(process.env["SSL_CERT_FILE"], cert);
  const files = { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" };
  await writeGitRepository(join(repositories, "tiny.git"), [{ files, tags: ["v1.0.0"] }]);
  await outputOf("git", ["-C", join(repositories, "tiny.git"), "config", "uploadpack.allowFilter", "true"], {
    limitMs: 120_000,
  });
  gitServer = createGitServer(repositories);
  await new Promise<void>((resolve) => gitServer.listen(0, "127.0.0.1", resolve));
  const { port } = gitServer.address() as AddressInfo;
  apps = [{ name: "tiny", source: { kind: "gitTags", url: `http://localhost:${port}/tiny.git` } }];
});
beforeEach(async () => {
  registry = await new FakeRegistry(certificate).start();
});
afterAll(() => {
  gitServer.closeAllConnections();
  gitServer.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the last run recorded, and the resources it left. */
interface Kept {
  readonly published: Published;
  readonly resources: readonly StateResource[];
}

const nothing: Kept = { published: {}, resources: [] };

/** A run that built a version whose index names these children. */
function built(version: string, { digest, children }: ReturnType<FakeRegistry["index"]>, latest = true): Kept {
  const name = `${registry.host}/${repository}`;
  const [amd, arm] = children;
  const images = { "linux/amd64": amd!, "linux/arm64": arm! } as const;
  const sources = children.map((child) => `${name}@${child}`);
  const record: PublishedVersion = { tag: version, digest, platforms: images, origin: "built", sources, images };
  const source = `${name}@${digest}`;
  const resource = (kind: "Image" | "Index", of: string, outputs: Record<string, unknown>): StateResource => ({
    urn: `urn:pulumi:test::multiarch-mirror::docker-build:index:${kind}::${of}`,
    type: `docker-build:index:${kind}`,
    outputs,
  });
  return {
    published: {
      tiny: {
        repository: name,
        versions: { [version]: record },
        floatingTags: latest ? { latest: { version, digest, source } } : {},
      },
    },
    resources: [
      resource("Image", resourceNames.image("tiny", version, "linux/amd64"), { digest: amd }),
      resource("Image", resourceNames.image("tiny", version, "linux/arm64"), { digest: arm }),
      resource("Index", resourceNames.version("tiny", version), { sources }),
      ...(latest ? [resource("Index", resourceNames.floatingTag("tiny", "latest"), { sources: [source] })] : []),
    ],
  };
}

const both = ["amd64", "arm64"];
/** An index of images that say which version they are. */
const published = (tag: string, architectures = both, version = tag === "latest" ? "1.0.0" : tag) =>
  registry.index(repository, tag, architectures, versionLabels(apps[0]!, version));
/** The version with its floating tag. */
const whole = () => {
  const index = published("1.0.0");
  published("latest");
  return index;
};
const refuse = () => registry.answer(/manifests\/1\.0\.0/, { status: 403, ...errorBody("DENIED") });

/** Every row of the decision table: is it managed, what does the registry say, is it in the window. */
const rows: readonly (readonly [row: string, work: boolean, () => Kept])[] = [
  ["nobody's, absent", true, () => nothing],
  ["nobody's, whole", false, () => (whole(), nothing)],
  ["nobody's, whole, without its floating tag", true, () => (published("1.0.0"), nothing)],
  ["nobody's, a platform missing", true, () => (published("1.0.0", ["amd64"]), nothing)],
  ["a stranger's", false, () => (registry.index(repository, "1.0.0", ["amd64"]), nothing)],
  ["nobody's, no answer", false, () => (whole(), refuse(), nothing)],
  ["ours, as recorded", false, () => built("1.0.0", whole())],
  ["ours, no answer", false, () => (refuse(), built("1.0.0", whole()))],
  [
    "ours, the tag gone",
    true,
    () => {
      const kept = built("1.0.0", whole());
      registry.remove(repository, "1.0.0");
      return kept;
    },
  ],
  [
    "ours, a platform gone",
    true,
    () => {
      const index = whole();
      registry.remove(repository, index.children[1]!);
      return built("1.0.0", index);
    },
  ],
  [
    "ours, moved by others",
    false,
    () => {
      const kept = built("1.0.0", whole());
      registry.manifest(repository, { manifests: [], annotations: { by: "others" } }, { tag: "1.0.0" });
      return kept;
    },
  ],
  ["ours, a version upstream no longer has, there", true, () => built("0.9.0", published("0.9.0"), false)],
  [
    "ours, a version upstream no longer has, gone",
    false,
    () => {
      const index = published("0.9.0");
      registry.remove(repository, "0.9.0");
      whole();
      return built("0.9.0", index, false);
    },
  ],
  [
    "recorded elsewhere",
    false,
    () => {
      const { published } = built("1.0.0", whole());
      return { published: { tiny: { ...published["tiny"]!, repository: "elsewhere/tiny" } }, resources: [] };
    },
  ],
];

const settings = () => ({
  registry: registry.host,
  namespace: "mirror",
  apps: ["tiny"],
  attest: "off",
  builder: "mirror",
});
const environment = () => ({ ...process.env, MIRROR_PHASE: "all" });

async function alone({ published, resources }: Kept, dryRun: boolean) {
  const warn = () => Promise.reject(new Error("nothing is to be warned of"));
  const looked = await lookOnly(
    {
      ...{ stackConfig: settings(), github: {}, environment: environment(), dryRun, warn },
      stack: "test",
      outputs: async () => ({ published }),
      state: async () => stackState(resources),
    },
    apps,
  );
  if ("mistakes" in looked) throw new Error(looked.message);
  return looked;
}

/** The same by Pulumi, whose engine and providers the mock stands in for. */
async function byPulumi({ published, resources }: Kept, preview: boolean) {
  const mock = new RecordingMock({
    preview,
    calls: {
      "pulumi:pulumi:readStackOutputs": () => ({ outputs: { published } }),
      "pulumi:pulumi:readStackResourceOutputs": () => ({
        outputs: Object.fromEntries(resources.map(({ urn, ...rest }) => [urn, rest])),
      }),
    },
  });
  const config = Object.entries(settings()).map(([key, value]) => [
    `multiarch-mirror:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config) as Record<string, string>);
  const host = { ...pulumiHost(), environment: environment() };
  const looking = await startLooking(apps, host);
  const mirrored = await declareApps(looking.surveys, openServices(looking.config, looking.edges, host));
  const found = await allFound(looking, host);
  const ended = await Promise.all([...mirrored].map(async ([name, app]) => [name, await app.ended] as const));
  await mock.settled();
  const state = stackState(resources);
  const changed = mock.resources.filter(
    ({ type, name, inputs }) =>
      (type === "docker-build:index:Image" && !state.images.has(name)) ||
      (type === "docker-build:index:Index" &&
        JSON.stringify(state.indexes.get(name)?.sources) !== JSON.stringify(inputs["sources"])) ||
      type === "command:local:Command",
  );
  return { ...conclusion(found, new Map(ended), host), changed: changed.map(({ name }) => name) };
}

it.each(rows)("finds the same with and without Pulumi: %s", async (_, work, prepare) => {
  const kept = prepare();
  const [looked, preview] = [await alone(kept, true), await byPulumi(kept, true)];
  expect(looked.work).toBe(work);
  expect(preview.changed.length > 0, preview.changed.join(", ")).toBe(work);
  expect(looked.run).toEqual(preview.run);
  expect(looked.failure).toBe(preview.failure);
  if (work) return;
  const [left, up] = [await alone(kept, false), await byPulumi(kept, false)];
  expect(left.outputs).toEqual(up.outputs);
  expect(left.run).toEqual(up.run);
});

it("says of a registry on this machine that speaks plain HTTP what a run would, with and without Pulumi", async () => {
  registry = await new FakeRegistry().start();
  for (const { run, failure } of [await alone(nothing, true), await byPulumi(nothing, true)]) {
    expect(failure).toContain(`1.0.0: ${registry.host} speaks plain HTTP only`);
    expect(run).toMatchObject({ building: [] });
  }
});
