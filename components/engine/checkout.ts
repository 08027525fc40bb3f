import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Absolute path of the checkout this code belongs to. Only this file may ask where it lies: tests run the sources one by one, and
 * everything else runs a bundle of them (typescript.cjs), which lies beside the file that was started.
 */
export const checkout = above(__dirname);

function above(folder: string): string {
  return existsSync(join(folder, "start.cjs")) ? folder : above(dirname(folder));
}
