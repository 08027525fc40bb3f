import { describe, expect, it } from "vitest";
import { checkedSources } from "../../components/declare/indexSources";
import type { Platform } from "../../components/model/platform";
import { appPlan, both, planned, repository, services, toBuild } from "./plans";
import { digestFor } from "./recordingMock";
import type { MadeImage } from "../../components/declare/recordedImage";
import type { SealRequest } from "../../components/attest/sealImages";
import type { VersionServices } from "../../components/declare/versionServices";

const [amd, arm] = both.map((platform) => `${repository}@${digestFor(platform)}`) as [string, string];
const sources = toBuild.sources ?? [];

function request(check: VersionServices["check"]) {
  return { specification: appPlan({}).specification, repository, planned: planned(), services: services({ check }) };
}

const made = (reference: string) => ({ reference, contexts: {} });

describe("checking the images of a version", () => {
  it("begins with each as soon as it is built, while the others still are", async () => {
    let finish: (image: MadeImage) => void = () => {};
    const slow = new Promise<MadeImage>((resolve) => (finish = resolve));
    const checked: string[] = [];
    const done = checkedSources(
      new Map([
        ["linux/amd64", Promise.resolve(made(amd))],
        ["linux/arm64", slow],
      ]),
      `${repository}:1.0.0`,
      request(({ platform }) => {
        checked.push(platform);
        // Nothing else lets the second build end: a check that waits for all builds waits for ever.
        if (platform === "linux/amd64") finish(made(arm));
        return Promise.resolve({ programs: 1 });
      }),
      sources,
    );
    expect((await done).references).toEqual([amd, arm]);
    expect(checked).toEqual(["linux/amd64", "linux/arm64"]);
  });

  it("names every platform whose build failed, once the checks of the others are over", async () => {
    let over = false;
    const none: Promise<MadeImage | undefined> = Promise.resolve(undefined);
    const check = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      over = true;
      return { programs: 1 };
    };
    const three = { ...request(check), planned: planned({ plan: { ...toBuild, build: [...both, "linux/ppc64le"] } }) };
    const images = new Map<Platform, Promise<MadeImage | undefined>>([
      ["linux/amd64", none],
      ["linux/arm64", Promise.resolve(made(arm))],
      ["linux/ppc64le", none],
    ]);
    await expect(checkedSources(images, `${repository}:1.0.0`, three, sources)).rejects.toThrow(
      `app 1.0.0 is not written: the build for linux/amd64, linux/ppc64le failed`,
    );
    expect(over).toBe(true);
  });

  it("shows what upstream wrote as escapes, and leaves it as it is in the cause", async () => {
    const images = new Map(both.map((platform, position) => [platform, Promise.resolve(made([amd, arm][position]!))]));
    const odd = new Error("/a\u202e##[error] is odd");
    const failed = checkedSources(
      images,
      `${repository}:1.0.0`,
      request(() => Promise.reject(odd)),
      sources,
    );
    await expect(failed).rejects.toMatchObject({
      message: "app 1.0.0 is not written: /a\\u{202e}##\\x5berror] is odd",
      cause: odd,
    });
  });

  it("has what is copied signed as well, before any index names it", async () => {
    const copies = { "linux/amd64": `upstream.example.org/app@${digestFor("theirs")}` };
    const sealed: SealRequest[] = [];
    const asked = request(() => Promise.resolve({ programs: 1 }));
    const seal: VersionServices["seal"] = (wanted) => Promise.resolve(void sealed.push(wanted));
    const version = planned({ copies, plan: { ...toBuild, build: ["linux/amd64"] } });
    const images = new Map<Platform, Promise<MadeImage | undefined>>();
    const all = { ...asked, planned: version, services: { ...asked.services, seal } };
    await checkedSources(images, `${repository}:1.0.0`, all, [{ kind: "build", platform: "linux/amd64" }]);
    expect(sealed.map((one) => one.images.map(({ record }) => [record.origin, record.image.digest]))).toEqual([
      [["copied", digestFor("theirs")]],
    ]);
  });

  it("has what cannot be pulled by way of the tag judged as well, before an index names it anew", async () => {
    const [held, hidden] = [digestFor("held"), digestFor("hidden")];
    const sealed: SealRequest[] = [];
    const asked = request(() => Promise.resolve({ programs: 1 }));
    const seal: VersionServices["seal"] = (wanted) => Promise.resolve(void sealed.push(wanted));
    const present = {
      digest: digestFor("index"),
      platforms: { "linux/amd64": held },
      misdescribed: { "linux/arm64": hidden },
    } as const;
    const lookAgain = () => Promise.resolve(present);
    const version = planned({ plan: { ...toBuild, build: [], present } });
    const all = { ...asked, planned: version, services: { ...asked.services, lookAgain, seal } };
    await checkedSources(
      new Map(),
      `${repository}:1.0.0`,
      all,
      [held, hidden].map((digest) => ({ kind: "existing", digest })),
    );
    expect(sealed.map(({ kept }) => kept)).toEqual([{ "linux/amd64": held, "linux/arm64": hidden }]);
  });

  it("writes nothing over an index of another run that would lose something", async () => {
    const now = { digest: digestFor("meanwhile"), platforms: { "linux/amd64": digestFor("theirs") } };
    const images = new Map(both.map((platform, position) => [platform, Promise.resolve(made([amd, arm][position]!))]));
    const asked = request(() => Promise.resolve({ programs: 1 }));
    const lookAgain = () => Promise.resolve({ ...now, rewriteLoses: ["its subject"] });
    const services = { ...asked.services, lookAgain };
    await expect(checkedSources(images, `${repository}:1.0.0`, { ...asked, services }, sources)).rejects.toThrow(
      "is not written: its index, which another run wrote meanwhile, would lose its subject",
    );
  });

  it.each([
    ["copied for two platforms", {}, { "linux/amd64": amd, "linux/arm64": amd }],
    ["that the tag has for another platform", { "linux/s390x": digestFor("linux/amd64") }, { "linux/amd64": amd }],
  ])("writes no index with a manifest %s, of which one entry would be lost", async (_, platforms, copies) => {
    const build = Object.keys(copies) as Platform[];
    const version = planned({ copies, plan: { ...toBuild, build } });
    const asked = request(() => Promise.resolve({ programs: 1 }));
    const lookAgain = () => Promise.resolve({ digest: digestFor("held"), platforms });
    const done = checkedSources(
      new Map(),
      `${repository}:1.0.0`,
      { ...asked, planned: version, services: { ...asked.services, lookAgain } },
      sources,
    );
    await expect(done).rejects.toThrow(/is not written: .* share the manifest sha256:/);
  });
});
