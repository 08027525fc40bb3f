import type { Entry } from "../../test/e2e/support/entry";
import { MirrorUnderTest } from "../../test/e2e/support/mirrorUnderTest";
import type { PulumiRun } from "../../test/e2e/support/pulumiRun";
import { tinyAppFile, tinyUpstream } from "../../test/e2e/support/tinyUpstream";
import { shortcomings } from "../../test/faults/support/shortcomings";
import { signingByKey } from "../../test/faults/support/signedBundles";
import { Watch } from "../../test/faults/support/watch";
import { ruleOf, type SweepPoint } from "./sweepPoint";

/** How a run with faults went. */
export interface TryResult {
  readonly points: readonly SweepPoint[];
  /** Those whose request was made. */
  readonly reached: readonly SweepPoint[];
  /** Exit status of the run with the faults; null when it was killed for hanging. */
  readonly exitCode: number | null;
  /** What did not hold, a line each; none when all held. */
  readonly broken: readonly string[];
}

const versions = ["1.0.0", "1.1.0"];

/**
 * A sandbox in which whole first runs are made, one after the other: 2 versions × 2 platforms, signed by a key. Every run mirrors
 * an app of its own name and content with an empty state, so that neither registry nor builder has seen anything of it.
 */
export class SweepRig {
  private runs = 0;

  private constructor(private readonly mirror: MirrorUnderTest) {}

  static async start(through: Entry): Promise<SweepRig> {
    const mirror = await MirrorUnderTest.start({ apps: () => ({}), settings: { keep: versions.length }, through });
    mirror.configure({ attest: signingByKey(mirror) });
    return new SweepRig(mirror);
  }

  /** Makes a run without any fault and counts its requests to the registry. @throws Error when it is not complete. */
  async countRequests(): Promise<number> {
    const app = await this.freshApp();
    this.mirror.mark();
    const run = await this.mirror.up();
    const requests = this.mirror.registryLog().length;
    const broken = await this.incomplete(app, run);
    if (broken.length > 0) throw new Error(`a run without faults is not complete: ${broken.join("; ")}\n${run.output}`);
    return requests;
  }

  /** Makes a whole first run with these faults, then a clean one, and says what did not hold. */
  async try(points: readonly SweepPoint[]): Promise<TryResult> {
    const app = await this.freshApp();
    const whole = await Watch.begin(this.mirror, [app]);
    this.mirror.sandbox.setRules(points.map(ruleOf));
    const faulty = await this.mirror.up();
    const used = this.mirror.sandbox.ruleStatus().map((status) => status.used > 0);
    this.mirror.sandbox.clearRules();
    const second = await Watch.begin(this.mirror, [app]);
    const clean = await this.mirror.up();
    const broken = [
      ...(faulty.exitCode === null ? ["the run with the fault hung"] : []),
      ...(await whole.damage()),
      ...(await second.damage()),
      ...(await this.incomplete(app, clean)),
    ];
    const reached = points.filter((_, position) => used[position]);
    return { points, reached, exitCode: faulty.exitCode, broken: [...new Set(broken)] };
  }

  stop(): Promise<void> {
    return this.mirror.stop();
  }

  private async freshApp(): Promise<string> {
    const app = `swept${(this.runs += 1)}`;
    await tinyUpstream(
      this.mirror.sandbox,
      app,
      versions.map((version) => ({ version })),
    );
    this.mirror.setApps({ [app]: tinyAppFile(this.mirror.sandbox, app) });
    await this.mirror.loseState();
    return app;
  }

  private async incomplete(app: string, { exitCode, outputs, diagnostics }: PulumiRun): Promise<readonly string[]> {
    const said = diagnostics.map(({ message }) => message).join(" | ");
    return [
      ...(exitCode === 0 ? [] : [`the clean run ended with status ${exitCode}: ${said.slice(0, 2_000)}`]),
      ...(outputs.missing ?? ["no outputs"]).map((missing) => `${missing} is missing`),
      ...(await shortcomings(this.mirror, app, versions)),
    ];
  }
}
