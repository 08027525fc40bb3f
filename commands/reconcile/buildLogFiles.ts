import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import { reasonOf } from "../../components/model/reasonOf";
import type { EngineEvent } from "./engineEvents";

/** Leaves all that BuildKit prints in files: one for each image, by the name of its resource. */
export class BuildLogFiles {
  private readonly files = new Map<string, WriteStream>();

  /**
   * @param folder which exists; undefined: nothing is left.
   * @param warn hears once of each file that cannot be written to its end, which stops no build.
   */
  constructor(
    private readonly folder: string | undefined,
    private readonly warn: (text: string) => void,
  ) {}

  observe(event: EngineEvent): void {
    if (this.folder === undefined || event.kind !== "output" || event.type !== "docker-build:index:Image") return;
    const file = this.files.get(event.name) ?? this.open(this.folder, event.name);
    file.write(`${event.text}\n`);
  }

  /** Waits until all is written that can be. */
  async end(): Promise<void> {
    await Promise.allSettled([...this.files.values()].map((file) => finished(file.end())));
  }

  private open(folder: string, name: string): WriteStream {
    const path = join(folder, `${name.replace(/[^\w.~+-]/g, "_")}.log`);
    const file = createWriteStream(path);
    file.on("error", (error) => this.warn(`--logs: ${JSON.stringify(path)} is not whole: ${reasonOf(error)}`));
    this.files.set(name, file);
    return file;
  }
}
