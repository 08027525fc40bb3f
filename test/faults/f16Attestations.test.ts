import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FaultRule } from "../../tools/sandbox/faultRule";
import { MirrorUnderTest } from "../e2e/support/mirrorUnderTest";
import { errorsOf, type Outputs } from "../e2e/support/pulumiRun";
import { tinyApp, tinyUpstream } from "../e2e/support/tinyUpstream";
import { shortcomings } from "./support/shortcomings";
import { signingByKey } from "./support/signedBundles";
import { Watch } from "./support/watch";

const execute = promisify(execFile);

/** Whoever reads a list of referrers while another is writing it would write back one without the other's. */
const slowLists: FaultRule = { part: "registry", method: "PUT", path: "/manifests/sha256-", delayMs: 500 };

let mirror: MirrorUnderTest;

beforeAll(async () => {
  mirror = await MirrorUnderTest.start({
    apps: tinyApp("1.0.0"),
  });
  mirror.configure({ attest: signingByKey(mirror) });
});

afterAll(() => mirror?.stop());

it("F18 all referrers are there on a registry without referrers API that is slow to write their lists", async () => {
  mirror.sandbox.setRules([slowLists]);
  const up = await mirror.up();
  expect(mirror.sandbox.ruleStatus()[0]?.used).toBeGreaterThan(0);
  mirror.sandbox.clearRules();
  expect(errorsOf(up)).toBe("");
  expect(up.exitCode).toBe(0);
  const referrers = mirror.registryLog().filter(({ path }) => path.includes("/referrers/"));
  expect(new Set(referrers.map(({ status }) => status))).toEqual(new Set([404]));
  expect(await shortcomings(mirror, "tiny", ["1.0.0"], { exactly: true })).toEqual([]);
});

it("F16 two runs at once, each with its own state, end with one complete version and all attestations", async () => {
  const other = join(mirror.sandbox.folder, "other-state");
  mkdirSync(other);
  const environment = { PULUMI_BACKEND_URL: `file://${other}` };
  await elsewhere(environment, "init", "test", "--no-select");
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.1.0" }]);
  const watch = await Watch.begin(mirror);
  mirror.sandbox.setRules([slowLists]);
  const runs = await Promise.all([mirror.up(), mirror.up({ environment })]);
  mirror.sandbox.clearRules();
  const digest = await mirror.registry.digest("tiny", "1.1.0");
  const theirs = JSON.parse(await elsewhere(environment, "output", "--json", "--stack", "test")) as Outputs;
  const recorded = [runs[0].outputs, theirs].flatMap(({ published }) => {
    const version = published?.["tiny"]?.versions["1.1.0"];
    return version ? [version.digest] : [];
  });
  expect(recorded.length, runs.map(({ output }) => output).join()).toBeGreaterThan(0);
  expect(new Set(recorded)).toEqual(new Set([digest]));
  expect([1, 2]).toContain(watch.tagWrites("tiny", "1.1.0"));
  expect(await watch.damage()).toEqual([]);
  expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0"])).toEqual([]);
  expect((await mirror.up()).exitCode).toBe(0);
  expect(await mirror.registry.digest("tiny", "1.1.0")).toBe(digest);
});

it("F19 a signing service that is down or gives no answer leaves no tag, is reported, and the next run signs and tags", async () => {
  await tinyUpstream(mirror.sandbox, "tiny", [{ version: "1.2.0" }]);
  const environment = {
    VAULT_ADDR: mirror.sandbox.urls.files,
    VAULT_TOKEN: "stand-in",
    ACTIONS_ID_TOKEN_REQUEST_URL: `${mirror.sandbox.urls.files}/v1/token?version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "stand-in",
  };
  const service = { part: "files", path: "^/v1/" } as const;
  const unreadable = { mode: "key", key: "hashivault://mirror", signingConfig: "none" };
  const byVault = { ...unreadable, publicKey: mirror.sandbox.env["MIRROR_SANDBOX_COSIGN_PUB"] };
  const keyless = { mode: "keyless", identity: "^https://example\\.org/", ...certificateAuthority() };
  // One that stays silent for ever is given up on after minutes: see the tests of toolProcess.
  const cases = [
    [byVault, { ...service, status: 503 }, /unsigned.* cosign /],
    [byVault, { ...service, cut: "response" as const }, /unsigned.* cosign /],
    // Nobody's signature counts for ours while it is not known whose do.
    [unreadable, { ...service, status: 503 }, /1\.0\.0: .*cannot be told.* attest\.signing\.publicKey/],
    [keyless, { ...service, status: 503 }, /unsigned.* cosign /],
    [keyless, { ...service, cut: "request" as const }, /unsigned.* cosign /],
  ] as const;
  // Under another identity 1.0.0 and 1.1.0 are unsigned too, each an index and two images; 1.2.0 is two images until it has a tag.
  const unsigned = 3 + 3 + 2;
  // Every digest is tried once, then twice one of each version alone; and a try of cosign's ends after three requests.
  const mostRequests = (unsigned + 3 * 2) * 3;
  const watch = await Watch.begin(mirror);
  for (const [signing, rule, reason] of cases) {
    mirror.configure({ attest: { signing } });
    mirror.sandbox.setRules([rule]);
    const up = await mirror.up({ environment });
    const tries = mirror.sandbox.ruleStatus()[0]?.seen ?? 0;
    expect(up.exitCode, up.output).not.toBe(0);
    expect(errorsOf(up)).toMatch(/^tiny: 1\.2\.0: /m);
    expect(await mirror.registry.tags("tiny")).not.toContain("1.2.0");
    expect(errorsOf(up)).toMatch(reason);
    expect(tries, up.output).toBeGreaterThan(0);
    expect(tries).toBeLessThanOrEqual(mostRequests);
  }
  mirror.sandbox.clearRules();
  expect(await mirror.registry.digest("tiny", "latest")).toBe(await mirror.registry.digest("tiny", "1.1.0"));
  mirror.configure({ attest: signingByKey(mirror) });
  const next = await mirror.up();
  expect(errorsOf(next)).toBe("");
  expect(watch.tagWrites("tiny", "1.2.0")).toBe(1);
  expect(await watch.damage()).toEqual([]);
  expect(await shortcomings(mirror, "tiny", ["1.0.0", "1.1.0", "1.2.0"])).toEqual([]);
});

/** `pulumi stack …` on another backend. */
async function elsewhere(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const options = { cwd: mirror.program, env: mirror.environment(environment), timeout: 600_000 };
  return (await execute("pulumi", ["stack", ...args, "--non-interactive"], options)).stdout;
}

/** The settings of a private Sigstore whose services are all the stand-in's. */
function certificateAuthority(): { readonly signingConfig: string; readonly trustedRoot: string } {
  const signingConfig = join(mirror.sandbox.folder, "authority.json");
  const trustedRoot = join(mirror.sandbox.folder, "no-roots.json");
  const validFor = { start: "2020-01-01T00:00:00Z" };
  const service = { url: mirror.sandbox.urls.files, majorApiVersion: 1, operator: "stand-in", validFor };
  writeFileSync(
    signingConfig,
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [service],
      rekorTlogConfig: {},
      tsaUrls: [service],
      tsaConfig: { selector: "ANY" },
    }),
  );
  writeFileSync(trustedRoot, '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
  return { signingConfig, trustedRoot };
}
