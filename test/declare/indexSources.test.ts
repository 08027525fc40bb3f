import { describe, expect, it } from "vitest";
import { checkedSources } from "../../components/declare/indexSources";
import type { Platform } from "../../components/model/platform";
import { appPlan, both, planned, repository, toBuild } from "./plans";
import { digestFor } from "./recordingMock";
import type { ImageToCheck } from "../../components/check/checkBeforeTag";

const [amd, arm] = both.map((platform) => `${repository}@${digestFor(platform)}`) as [string, string];
const sources = toBuild.sources ?? [];

function request(check: (image: ImageToCheck) => Promise<void>) {
  const lookAgain = () => Promise.resolve(undefined);
  return { specification: appPlan({}).specification, repository, planned: planned(), services: { check, lookAgain } };
}

describe("checking the images of a version", () => {
  it("begins with each as soon as it is built, while the others still are", async () => {
    let finish: (reference: string) => void = () => {};
    const slow = new Promise<string>((resolve) => (finish = resolve));
    const checked: string[] = [];
    const done = checkedSources(
      new Map([
        ["linux/amd64", Promise.resolve(amd)],
        ["linux/arm64", slow],
      ]),
      `${repository}:1.0.0`,
      request(({ platform }) => {
        checked.push(platform);
        // Nothing else lets the second build end: a check that waits for all builds waits for ever.
        if (platform === "linux/amd64") finish(arm);
        return Promise.resolve();
      }),
      sources,
    );
    expect((await done).references).toEqual([amd, arm]);
    expect(checked).toEqual(["linux/amd64", "linux/arm64"]);
  });

  it("names every platform whose build failed, once the checks of the others are over", async () => {
    let over = false;
    const none: Promise<string | undefined> = Promise.resolve(undefined);
    const check = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      over = true;
    };
    const three = { ...request(check), planned: planned({ plan: { ...toBuild, build: [...both, "linux/ppc64le"] } }) };
    const made = new Map<Platform, Promise<string | undefined>>([
      ["linux/amd64", none],
      ["linux/arm64", Promise.resolve(arm)],
      ["linux/ppc64le", none],
    ]);
    await expect(checkedSources(made, `${repository}:1.0.0`, three, sources)).rejects.toThrow(
      `${repository}:1.0.0 is not written: the build for linux/amd64, linux/ppc64le failed`,
    );
    expect(over).toBe(true);
  });

  it("writes nothing over an index of another run that would lose something", async () => {
    const now = { digest: digestFor("meanwhile"), platforms: { "linux/amd64": digestFor("theirs") } };
    const made = new Map(both.map((platform, position) => [platform, Promise.resolve([amd, arm][position])]));
    const asked = request(() => Promise.resolve());
    const lookAgain = () => Promise.resolve({ ...now, rewriteLoses: ["its subject"] });
    const services = { ...asked.services, lookAgain };
    await expect(checkedSources(made, `${repository}:1.0.0`, { ...asked, services }, sources)).rejects.toThrow(
      "is not written: its index, which another run wrote meanwhile, would lose its subject",
    );
  });
});
