import { noOp } from "./p1NoOp";
import { coldBuild } from "./p2ColdBuild";
import { scale } from "./p3Scale";
import { oneVersion } from "./p4OneVersion";
import { sharedLayer } from "./p5SharedLayer";
import { attestation } from "./p6Attestation";
import { startUp } from "./p7StartUp";
import type { Benchmark } from "./support/benchOptions";

/** All benchmarks, in the order they run. */
export const benchmarks: readonly Benchmark[] = [startUp, noOp, oneVersion, coldBuild, sharedLayer, attestation, scale];
