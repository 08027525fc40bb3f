import { describe, expect, it } from "vitest";
import type { Digest } from "../../components/model/digest";
import type { Probe } from "../../components/model/probe";
import { holding, probeFor } from "../../components/probe/probeTag";

const digest: Digest = `sha256:${"1".repeat(64)}`;
const present: Probe = { state: "present", digest, platforms: { "linux/amd64": digest }, lost: {}, others: [] };
const absent: Probe = { state: "absent" };
const refused: Probe = { state: "unknown", cause: "authorisation", reason: "403 DENIED" };
const outage: Probe = { state: "unknown", cause: "outage", reason: "503" };
/** The same, of an app that the stack does not call new. */
const advised: Probe = {
  ...{ state: "unknown", cause: "authorisation" },
  reason: "403 DENIED; where there is no package of it yet, list app under newPackages",
};
const reference = "ghcr.io/owner/app:1.0.0";

/** What the probe of a tag says when the registry answers so, and what the registry was asked besides. */
async function read(
  answer: Probe | readonly Probe[],
  newPackages: readonly string[],
  accepts: () => Promise<boolean> = () => Promise.resolve(true),
  asked = reference,
  write?: () => Promise<void>,
) {
  const answers = [answer].flat();
  const questions: string[] = [];
  const registry = {
    probe: (name: string, options?: { readonly skipChildren?: boolean }) => {
      questions.push(options?.skipChildren === true ? `${name} without children` : name);
      return Promise.resolve(answers.shift() ?? refused);
    },
  };
  const config = { newPackages, registry: "ghcr.io", namespace: "owner" };
  const counted = () => {
    questions.push("are the credentials accepted?");
    return accepts();
  };
  const mayWrite = write && ((repository: string) => (questions.push(`may I write to ${repository}?`), write()));
  const probe = await probeFor(asked, registry, config, { accepts: counted, mayWrite }, { skipChildren: true });
  return { probe, questions };
}

describe("a refusal about an app without a package", () => {
  it("counts as absent when the stack says so and the registry accepts the credentials", async () => {
    const { probe, questions } = await read(refused, ["app"]);
    expect(probe).toEqual(absent);
    expect(questions).toEqual([`${reference} without children`, "are the credentials accepted?"]);
  });

  it.each([
    ["does not say so", []],
    ["says so of another app", ["other", "ap", "app-two"]],
  ])("stays unknown when the stack %s, and nothing else is asked", async (_, newPackages) => {
    const { probe, questions } = await read(refused, newPackages);
    expect(probe).toEqual(advised);
    expect(questions).toHaveLength(1);
  });

  it.each([
    ["accept", () => Promise.resolve(false)],
    ["say whether it accepts", () => Promise.reject(new Error("503"))],
  ])("stays unknown when the registry does not %s the credentials", async (_, accepts) => {
    expect((await read(refused, ["app"], accepts)).probe).toEqual(refused);
  });

  it("is no word about an app that the stack does not call new", async () => {
    const { probe } = await read(refused, ["app"], undefined, "ghcr.io/owner/app-two:1.0.0");
    expect(probe).toMatchObject({ state: "unknown", reason: expect.stringContaining("list app-two under") as string });
  });

  it.each(["ghcr.io/other/app:1.0.0", "docker.io/owner/app:1.0.0"])("says nothing about %s", async (other) => {
    expect((await read(refused, ["app"], undefined, other)).probe).toEqual(refused);
  });

  it.each([absent, present])("is asked about again by a run that may write there: $state", async (then) => {
    const { probe, questions } = await read([refused, then], [], undefined, reference, () => Promise.resolve());
    expect(probe).toEqual(then);
    const twice = `${reference} without children`;
    expect(questions).toEqual([twice, "may I write to ghcr.io/owner/app?", twice]);
  });

  it.each([
    ["may not write", () => Promise.reject(new Error("403"))],
    ["is told nothing even so", () => Promise.resolve()],
  ])("stays unknown for a run that %s, unless the stack says that it is new", async (_, write) => {
    expect((await read([refused, refused], [], undefined, reference, write)).probe).toEqual(advised);
    expect((await read([refused, refused], ["app"], undefined, reference, write)).probe).toEqual(absent);
  });

  it("is nothing to write to anywhere else", async () => {
    for (const other of ["ghcr.io/owner/deep/app:1.0.0", "ghcr.io/other/app:1.0.0", "docker.io/owner/app:1.0.0"]) {
      const { questions } = await read(refused, [], undefined, other, () => Promise.resolve());
      expect(questions).toHaveLength(1);
    }
  });

  it.each([outage, present, absent])("is nothing else: $state $cause stays what it is", async (answer) => {
    const { probe, questions } = await read(answer, ["app"]);
    expect(probe).toEqual(answer);
    expect(questions).toHaveLength(1);
  });
});

describe("what a tag holds", () => {
  it("is its digest and its platforms, or nothing when it is absent", () => {
    expect(holding(reference, present)).toEqual({ digest, platforms: { "linux/amd64": digest } });
    expect(holding(reference, absent)).toBeUndefined();
    const rewriteLoses = ["its subject"];
    expect(holding(reference, { ...present, rewriteLoses })).toMatchObject({ rewriteLoses });
  });

  it("is never taken for nothing when the registry gave no usable answer", () => {
    expect(() => holding(reference, outage)).toThrow(`no usable answer about ${reference} (outage): 503`);
  });
});
