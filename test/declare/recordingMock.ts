import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** One resource as it was registered. Mocks never see resource options. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** How the mocked providers behave in one test. */
export interface MockBehaviour {
  /** `pulumi preview`. */
  readonly preview?: boolean;
  /** Resources whose creation fails, by name. */
  readonly failing?: readonly string[];
  /** Of these the provider gives the bare tag, as after a refused push. */
  readonly withoutDigest?: readonly string[];
  /** What functions answer, by token. Any other call throws. */
  readonly calls?: Readonly<Record<string, (inputs: never) => object | Promise<object>>>;
}

/** What everything a run did, in order: registrations as `type name`, and what tests add. */
export class RecordingMock {
  readonly resources: Registered[] = [];
  readonly happened: string[] = [];

  /** Replaces the engine by this recorder, for the resources constructed from now on. */
  constructor(behaviour: MockBehaviour = {}) {
    const outputs: Readonly<Record<string, (registered: Registered) => Record<string, unknown>>> = {
      "docker-build:index:Image": ({ name, inputs }) => ({
        ref: `${String((inputs.tags as string[])[0])}@${digestFor(name)}`,
      }),
      "docker-build:index:Index": ({ name, inputs }) => ({
        ref: behaviour.withoutDigest?.includes(name) ? inputs.tag : `${String(inputs.tag)}@${digestFor(name)}`,
      }),
      "command:local:Command": () => ({ stdout: `{"added":[]}` }),
    };
    const mocks: pulumi.runtime.Mocks = {
      newResource: ({ type, name, inputs }) => {
        const registered = { type, name, inputs: inputs as Record<string, unknown> };
        this.resources.push(registered);
        this.happened.push(`${type} ${name}`);
        if (type.startsWith("multiarch-mirror:index:")) return { id: "", state: registered.inputs };
        const made = outputs[type];
        if (!made) throw new Error(`no resource of type ${type} is expected`);
        const state = { ...registered.inputs, ...made(registered) };
        // A resource that fails while the run goes on, and one that a preview shows, has outputs nobody knows.
        const unknown = behaviour.preview === true || behaviour.failing?.includes(name) === true;
        return {
          id: name,
          state: unknown ? Object.fromEntries(Object.keys(state).map((key) => [key, unknownValue])) : state,
        };
      },
      call: async ({ token, inputs }) => {
        const answer = behaviour.calls?.[token];
        if (!answer) throw new Error(`no call of ${token} is expected`);
        return answer(inputs as never);
      },
    };
    void pulumi.runtime.setMocks(mocks, "multiarch-mirror", "test", behaviour.preview ?? false, "organization");
  }

  /** Waits until everything is registered that will be. What waits for a rejected Output never is: silence has to do then. */
  async settled(): Promise<void> {
    await Promise.race([(pulumi.runtime as unknown as Internals).waitForRPCs(), this.silence()]);
  }

  /** Ends when nothing was registered for many turns of the event loop: here everything answers within a few. */
  private async silence(): Promise<void> {
    for (let [turn, seen] = [0, 0]; turn < 1000; turn++) {
      if (seen !== this.happened.length) [turn, seen] = [0, this.happened.length];
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The resources of a type, by name. */
  of(type: string): Readonly<Record<string, Registered["inputs"]>> {
    return Object.fromEntries(
      this.resources.filter((resource) => resource.type === type).map(({ name, inputs }) => [name, inputs]),
    );
  }

  /** `type name` of all, sorted: what was declared, and how often. */
  declared(): readonly string[] {
    return this.resources.map(({ type, name }) => `${type} ${name}`).toSorted();
  }
}

/** What the SDK has but leaves out of its declarations. */
interface Internals {
  waitForRPCs(): Promise<void>;
}

/**
 * Lets rejected Outputs pass. Each rejects in promises of the SDK that nobody waits for; in a real run that is what makes
 * it end as failed, and here vitest would take it for a failure of the tests.
 */
export function allowRejections(): void {
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", () => {});
}

/** How an unknown value travels between engine and program. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The digest the mock gives an image or index of that name. */
export function digestFor(name: string): `sha256:${string}` {
  return `sha256:${createHash("sha256").update(name).digest("hex")}`;
}
