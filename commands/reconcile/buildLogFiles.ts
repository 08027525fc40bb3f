import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import type { EngineEvent } from "./engineEvents";

/** Leaves all that BuildKit prints in files: one for each image, by the name of its resource. */
export class BuildLogFiles {
  private readonly files = new Map<string, WriteStream>();

  /** @param folder which exists; undefined: nothing is left. */
  constructor(private readonly folder: string | undefined) {}

  observe(event: EngineEvent): void {
    if (this.folder === undefined || event.kind !== "output" || event.type !== "docker-build:index:Image") return;
    const file = this.files.get(event.name) ?? this.open(this.folder, event.name);
    file.write(`${event.text}\n`);
  }

  /** Waits until all is written. @throws Error when that fails. */
  async end(): Promise<void> {
    await Promise.all([...this.files.values()].map((file) => finished(file.end())));
  }

  private open(folder: string, name: string): WriteStream {
    const file = createWriteStream(join(folder, `${name.replace(/[^\w.~+-]/g, "_")}.log`));
    this.files.set(name, file);
    return file;
  }
}
