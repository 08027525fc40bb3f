import { describe, expect, it } from "vitest";
import { parsePlatform } from "../../../components/model/platform";
import { buildJobs } from "../../../commands/reconcile/buildJobs";

const platforms = (...names: readonly string[]) => names.map(parsePlatform);

describe("build jobs", () => {
  it("are one per platform, on a runner with its processor", () => {
    expect(buildJobs(platforms("linux/amd64", "linux/arm64"), false)).toEqual([
      { name: "linux-amd64", platforms: "linux/amd64", runner: "ubuntu-24.04", emulated: "" },
      { name: "linux-arm64", platforms: "linux/arm64", runner: "ubuntu-24.04-arm", emulated: "" },
    ]);
  });

  it("emulate a platform GitHub has no runner for", () => {
    expect(buildJobs(platforms("linux/ppc64le"), false)).toEqual([
      { name: "linux-ppc64le", platforms: "linux/ppc64le", runner: "ubuntu-24.04", emulated: "linux/ppc64le" },
    ]);
  });

  it("are a single one that emulates what is foreign, when asked for", () => {
    expect(buildJobs(platforms("linux/amd64", "linux/arm64", "linux/s390x"), true)).toEqual([
      {
        name: "emulated",
        platforms: "linux/amd64,linux/arm64,linux/s390x",
        runner: "ubuntu-24.04",
        emulated: "linux/arm64,linux/s390x",
      },
    ]);
  });

  it.each([false, true])("are none when nothing has to be built (emulate: %s)", (emulate) => {
    expect(buildJobs([], emulate)).toEqual([]);
  });
});
